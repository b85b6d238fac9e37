"""What people wrote above a rule: mostly why it is there."""

from logwatch.offenders.language.problem import shown
from logwatch.offenders.language.rule import Rule


def comment_above(text: bytes, rule: Rule) -> str:
    """Give the comment right above a rule of this file as one text; empty where there is none."""
    comment: list[str] = []
    for line in reversed(text.decode("utf-8-sig").split("\n")[: rule.place.line - 1]):
        if not line.lstrip().startswith("#"):
            break
        comment.append(shown(line.strip()).lstrip("#").strip())
    return " ".join(filter(None, reversed(comment)))
