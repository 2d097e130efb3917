r"""A table for a paper, with the lines of LaTeX's package ``booktabs``.

Every character that LaTeX would act on is written so that it stands there as it is. Letters beyond ASCII are
left: LaTeX has read UTF-8 since 2018.
"""

import re

from micrograde.analysis.document import Table
from micrograde.analysis.tables import as_cell
from micrograde.core.printable import printable

_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#",
    "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}", "'": "'{}",
    # After the end of a row a bracket begins an option, and a star is one; two hyphens make a dash.
    "[": "{[}", "]": "{]}", "*": "{*}", "-": "-{}",
    "±": r"$\pm$", "×": r"$\times$", "−": "$-$", "…": r"\dots{}", "·": r"\textperiodcentered{}",
}  # fmt: skip
_NUMBER = re.compile(r"-?\d[\d.]*(?:e[-+]?\d+)?(?: ± \d[\d.]*(?:e[-+]?\d+)?)?")
_EXPONENT = re.compile(r"e([-+]?\d+)")
_MISSING = "--"


def latex_table(table: Table, *, caption: str, label: str) -> str:
    r"""Return a ``table`` with a caption; columns of ids are left out.

    Parameters
    ----------
    label
        By which ``\ref`` finds it: ASCII letters, digits and colons, as it stands there unescaped.
    """
    frame = table.frame[[name for name in table.frame if name not in table.codes]]
    names = [str(name) for name in frame]
    columns = [[as_cell(name, value) for value in frame[name]] for name in names]
    numeric = [all(text == "-" or _NUMBER.fullmatch(text) for text in texts) for texts in columns]
    rows = [[_cell(text) for text in row] for row in zip(*columns, strict=True)]
    lines = [
        "% needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}",
        "\\begin{table}",
        "  \\centering",
        f"  \\caption{{{as_latex(caption)}}}",
        f"  \\label{{{label}}}",
        f"  \\begin{{tabular}}{{{''.join('r' if each else 'l' for each in numeric)}}}",
        "    \\toprule",
        f"    {_row([as_latex(name) for name in names])}",
        "    \\midrule",
        *(f"    {_row(row)}" for row in rows),
        "    \\bottomrule",
        "  \\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def as_latex(text: str) -> str:
    """Return text on one line in which LaTeX finds no command, without hidden characters."""
    return "".join(_ESCAPES.get(character, character) for character in printable(" ".join(text.split())))


def _cell(text: str) -> str:
    if text == "-":
        return _MISSING
    if _NUMBER.fullmatch(text):
        return "$" + _EXPONENT.sub(_power, text.replace("±", r"\pm")) + "$"
    return as_latex(text)


def _power(found: re.Match[str]) -> str:
    return rf" \times 10^{{{int(found[1])}}}"


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"
