import re

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from micrograde.analysis.document import Table
from micrograde.analysis.latex import as_latex, latex_table
from micrograde.core.printable import printable

COMMANDS = {
    "textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "textless": "<", "textgreater": ">",
    "textbar": "|", "textquotedbl": '"', "textasciigrave": "`", "dots": "…", "textperiodcentered": "·",
}  # fmt: skip


def read(text: str) -> str:
    """What TeX sets of a text that has only what ``as_latex`` writes; anything else is an error."""
    set_, rest = "", text
    while rest:
        if found := re.match(r"\\([a-z]+)\{\}", rest):
            set_ += COMMANDS[found[1]]
        elif found := re.match(r"\\([{}$&%#_])", rest):
            set_ += found[1]
        elif found := re.match(r"\{([\[\]*])\}|([-'])\{\}", rest):
            set_ += found[1] or found[2]
        elif found := re.match(r"\$(\\pm|\\times|-)\$", rest):
            set_ += {r"\pm": "±", r"\times": "×", "-": "−"}[found[1]]
        else:
            found = re.match(r"[^\\{}$&%#_~^<>|\"`\[\]*'-]", rest)
            assert found, f"TeX acts on {rest[:5]!r}"
            set_ += found[0]
        rest = rest[found.end() :]
    return set_


@given(st.text() | st.text("\\{}$&%#_~^<>|\"`'[]*-±×−…· ab\n", max_size=30))
def test_a_text_stands_there_as_it_is(text):
    assert read(as_latex(text)) == printable(" ".join(text.split()))


def test_numbers_are_numbers_and_ids_are_left_out():
    frame = pd.DataFrame({
        "a_b": [1e-5, -2.0], "mean": ["0.5 ± 0.1", "-"], "text": ["1 & 2", "--"], "id": ["x", "y"]
    })  # fmt: skip
    text = latex_table(Table(frame, ["id"]), caption="50% of {it}", label="tab:a")
    rows = [line.strip() for line in text.splitlines() if line.endswith(r"\\")]
    assert rows == [
        r"a\_b & mean & text \\",
        r"$1 \times 10^{-5}$ & $0.5 \pm 0.1$ & 1 \& 2 \\",
        r"$-2$ & -- & -{}-{} \\",
    ]
    assert r"\caption{50\% of \{it\}}" in text
    assert r"\begin{tabular}{rrl}" in text
    assert text.count("{") == text.count("}")
