"""A document as a self-contained HTML page: style and pictures are embedded, and all text is escaped."""

import base64
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, assert_never

from micrograde.analysis.document import Document, Paragraph, Part, Picture, Section, Table
from micrograde.analysis.tables import as_cell

if TYPE_CHECKING:
    import pandas as pd

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff;
       margin: 2rem auto; max-width: 72rem; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; margin-bottom: 0.2rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; }
p.about { color: #555; margin-top: 0; }
code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.8rem 0.25rem 0; text-align: left; vertical-align: top; white-space: nowrap; }
th { border-bottom: 1px solid #767676; font-weight: 600; }
td { border-bottom: 1px solid #e6e6e6; }
td.number, th.number { text-align: right; }
td.long { white-space: normal; min-width: 22rem; overflow-wrap: anywhere; }
img { max-width: 100%; height: auto; display: block; margin: 0.5rem 0 1.2rem; }
"""
_LONG = 60  # characters beyond which a cell may be broken into lines


def page(document: Document) -> str:
    """Return the whole page."""
    title = escape(document.title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{title}</h1>\n<p class="about">{escape(document.about)}</p>\n'
        + "\n".join(map(_section, document.sections))
        + "\n</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    return "\n".join([f"<h2>{escape(section.heading)}</h2>", *map(_part, section.parts)])


def _part(part: Part) -> str:
    match part:
        case Paragraph():
            return f"<p>{escape(part.text)}</p>"
        case Table():
            return _table(part.frame, part.codes)
        case Picture():
            return _picture(part)
        case _:
            assert_never(part)


def _table(frame: "pd.DataFrame", codes: Sequence[str]) -> str:
    """Return the whole frame as a table; the columns ``codes`` are set as code."""
    import pandas as pd

    names = [str(name) for name in frame]
    # Only floats, which are mostly measured, are aligned by their digits; settings are aligned to the left.
    numeric = {name for name in names if pd.api.types.is_float_dtype(frame[name])}
    head = "".join(f"<th{_class(name in numeric)}>{escape(name)}</th>" for name in names)
    columns = [
        [_cell(name, value, name in numeric, name in codes) for value in frame[name]] for name in names
    ]
    rows = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in zip(*columns, strict=True))
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{rows}\n</table></div>'


def _picture(part: Picture) -> str:
    """Return a picture embedded in the page, as an image: a script in it does not run."""
    data = base64.b64encode(part.content).decode()
    return f'<img alt="{escape(part.description)}" src="data:{part.media_type};base64,{data}">'


def _class(number: bool) -> str:
    return ' class="number"' if number else ""


def _cell(name: str, value: object, number: bool, code: bool) -> str:
    text = escape(as_cell(name, value))
    if code:
        return f"<td><code>{text}</code></td>"
    if len(text) > _LONG:
        return f'<td class="long">{text}</td>'
    return f"<td{_class(number)}>{text}</td>"
