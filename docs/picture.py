"""Draws docs/report.svg: what `logwatch report` shows on a terminal, of recorded lines."""

import io
import re
from pathlib import Path

from rich.console import Console

from logwatch.report import read
from logwatch.report.table import render_table

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Read the recorded lines and draw the picture."""
    paths = [str(ROOT / "fixtures" / case / "lines.log") for case in ("scan", "mixed-syslog")]
    console = Console(record=True, width=116, file=io.StringIO(), force_terminal=True)
    console.print(render_table(read(paths, ["calico-packet"], top=5), console.width))
    title = "logwatch report /var/log/syslog --top 5"
    drawn = console.export_svg(title=title, unique_id="report")
    # Whoever looks at it has a monospaced font; none is to be fetched from elsewhere.
    drawn = re.sub(r"\s*@font-face \{.*?\n    \}", "", drawn, flags=re.DOTALL)
    (ROOT / "docs" / "report.svg").write_text(drawn.replace("Fira Code, ", ""))


if __name__ == "__main__":
    main()
