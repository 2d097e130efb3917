"""Text that somebody else wrote, within Markdown: it reads as it stands, and none of it is markup."""

import re
from collections.abc import Iterable, Sequence

from micrograde.core.printable import printable

# What begins something in CommonMark or in GitHub's: emphasis, code, links, HTML, entities, tables, maths.
_MARKUP = re.compile(r"[\\`*\[\]<&|~$]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=www)\.|@")
_BLOCK = re.compile(
    r"(\s*\d*)([-+#>=]|(?<=\d)[.)](?=\s|$))"
)  # at the beginning of a line: a list, a title, a quotation


def as_markdown(text: str) -> str:
    """Return the text for a line of Markdown or a cell of a table, without line ends or hidden characters."""
    escaped = _MARKUP.sub(lambda found: f"\\{found[0]}", printable(text))
    if block := _BLOCK.match(escaped):
        escaped = f"{block[1]}\\{escaped[block.start(2) :]}"
    return escaped


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = True) -> list[str]:
    """Return the lines of a table; cells are Markdown already.

    Parameters
    ----------
    numbers
        Whether all columns but the first are aligned to the right.
    """
    rule = ["---", *["---:" if numbers else "---"] * (len(header) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (header, rule, *rows)]


def fenced(lines: Iterable[str], language: str) -> list[str]:
    """Return lines as a block of code, whose fence is longer than any run of backticks in it."""
    content = [printable(line) for line in lines]
    longest = max((len(run) for line in content for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence + language, *content, fence]
