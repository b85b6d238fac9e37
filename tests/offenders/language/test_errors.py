"""What is wrong with rules is told with its place, its line, what is expected and a suggestion."""

import os
from pathlib import Path

import pytest

from logwatch.offenders.language import FILE_MOST, Reading, read, render
from logwatch.offenders.language.grammar import SET_MOST
from logwatch.offenders.language.read import (
    CONDITIONS_MOST,
    DEPTH_MOST,
    PROBLEMS_MOST,
    RULES_MOST,
    WORDS_MOST,
)
from logwatch.packets.explain.printable import columns

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.rules"))
GOOD = "rule {} when distinct ports >= 15 within 1m {} ban {}s\n"


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_problems_are_told_as_written_down(path: Path) -> None:
    """UPDATE_GOLDEN=1 writes them down anew."""
    reading = read(path.read_bytes(), path.name)
    names = " ".join(rule.name for rule in reading.rules)
    told = "".join(f"{render(problem)}\n\n" for problem in reading.problems)
    text = f"{told}good: {names or 'none'}\n"
    golden = path.with_suffix(".txt")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert golden.read_text() == text


def one_problem(reading: Reading) -> str:
    [problem] = reading.problems
    assert "error" == problem.level
    return problem.what


def condition(text: str) -> Reading:
    return read(GOOD.format("a", f"where {text}", 60).encode(), "x")


def test_a_file_has_a_size() -> None:
    comment = b"#" * FILE_MOST
    assert not read(comment, "x").has_errors
    assert "the file is larger than 1 MiB" == one_problem(read(comment + b"#", "x"))


def test_a_file_has_so_many_rules() -> None:
    rules = [GOOD.format(f"r{number}", "", number + 1) for number in range(RULES_MOST + 1)]
    assert () == read("".join(rules[:-1]).encode(), "x").problems
    reading = read("".join(rules).encode(), "x")
    assert f"these are more than {RULES_MOST} rules" == one_problem(reading)
    assert RULES_MOST + 1 == reading.problems[0].place.line


def test_a_file_has_so_many_words() -> None:
    words = "9 " * WORDS_MOST
    what = f"up to the end of this rule there are more than {WORDS_MOST} words"
    assert what == one_problem(read(f"rule a {words}".encode(), "x"))


def test_a_rule_has_so_many_conditions() -> None:
    assert () == condition(" or ".join(["syn only"] * CONDITIONS_MOST)).problems
    reading = condition(" or ".join(["syn only"] * (CONDITIONS_MOST + 1)))
    assert f"the rule a has {CONDITIONS_MOST + 1} conditions" == one_problem(reading)


def test_a_set_has_so_many_values() -> None:
    values = [str(number) for number in range(0, 2 * SET_MOST + 2, 2)]
    assert () == condition(f"port in {{{', '.join(values[:-1])}}}").problems
    reading = condition(f"port in {{{', '.join(values)}}}")
    assert f"the set has {SET_MOST + 1} values" == one_problem(reading)


def test_parentheses_are_so_deep() -> None:
    assert () == condition("(" * DEPTH_MOST + "syn only" + ")" * DEPTH_MOST).problems
    reading = condition("(" * (DEPTH_MOST + 1) + "syn only" + ")" * (DEPTH_MOST + 1))
    assert f"parentheses stand in more than {DEPTH_MOST} others" == one_problem(reading)
    assert () == condition(f'policy is "{"(" * 99}" and syn only').problems


def test_so_many_problems_are_told() -> None:
    values = ", ".join(["x"] * SET_MOST)
    assert PROBLEMS_MOST == len(condition(f"port in {{{values}}}").problems)


HEAD = "rule a when packets >= 1 within 1m where "


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (HEAD, "("),
        (HEAD, "not "),
        (HEAD, "reply and "),
        (f"{HEAD}port in {{", "1,"),
        (f"{HEAD}port in {{1}}", "1"),
        (f"{HEAD}policy is ", '"'),
        (f"{HEAD}policy is ", "a"),
        ("", "rule\n"),
        ("", "rule a "),
        ("", "\0"),
        ("", "{"),
        ("rule ", "a"),
    ],
)
def test_a_large_hostile_file_is_an_error_and_not_a_traceback(head: str, piece: str) -> None:
    text = head + piece * ((FILE_MOST - len(head)) // len(piece))
    reading = read(text.encode(), "x")
    assert reading.has_errors
    assert all(len(render(problem)) < 1000 for problem in reading.problems)


def tangle(number: int) -> str:
    """Every condition of one dimension with every one of another."""
    fields = ("port", "source", "policy", "tier", "interface")
    values = {"port": "{}", "source": "10.0.0.{}"}
    return " and ".join(
        f"({one} is {values.get(one, 'n{}').format(index)} or not {other} is"
        f" {values.get(other, 'n{}').format(index + number)})"
        for index, (one, other) in enumerate(
            (one, other) for one in fields for other in fields if one != other
        )
    )


def test_what_takes_too_long_to_judge_is_an_error() -> None:
    """It is not taken for good: it may be a ban on forged packets."""
    text = "".join(GOOD.format(f"r{n}", f"where {tangle(n)}", n + 1) for n in range(RULES_MOST))
    what = one_problem(read(text.encode(), "x"))
    assert what.endswith("the conditions are too complicated to be judged")


def test_rules_that_take_too_long_to_compare_are_told() -> None:
    text = "".join(GOOD.format(f"r{n}", f"where {tangle(n)}", 60) for n in range(35))
    [problem] = read(text.encode(), "x").problems
    assert "warning" == problem.level
    assert problem.what.endswith("those behind it were not compared with the others")


def test_a_long_line_is_cut_around_the_caret() -> None:
    [problem] = condition(f"{'syn only and ' * 20}prot is tcp{' and syn only' * 20}").problems
    _, line, caret, _ = render(problem).splitlines()
    assert 104 == len(line)
    assert line[caret.index("^") :].startswith("prot is tcp")


@pytest.mark.parametrize("name", ["bläcklist", "bla\u0308cklist", "黒リスト", "\U0001f600"])
def test_a_caret_stands_under_its_word_whatever_is_before_it(name: str) -> None:
    """By columns of a terminal: a mark that joins a letter takes none, a Chinese character two."""
    [problem] = condition(f'policy is "{name}"\tand prot is tcp').problems
    _, line, caret, remedy = render(problem).splitlines()
    assert columns(line[: line.index("prot")]) == caret.index("^")
    assert remedy.endswith("did you mean protocol?")


def test_there_is_no_caret_where_there_is_no_text() -> None:
    [problem] = read(b"", "x").problems
    assert 2 == len(render(problem).splitlines())
