"""The HTML that Jupyter shows for runs and sweeps, with everything that was typed or stored escaped."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_WIDTH = 860  # pixels at most


def cell(
    title: str,
    table: "pd.DataFrame",
    sentences: Sequence[str],
    pictures: Mapping[str, tuple[str, bytes]],
    rest: Sequence[str] = (),
) -> str:
    """Return the HTML of a cell's output.

    Parameters
    ----------
    table
        Its values are shown as they are, without further formatting.
    sentences
        Shown below the table, one per line.
    pictures
        The media type and the content of each picture, by name. They are embedded as images, not as parts of
        the page, so that a script in a picture from a store does not run.
    rest
        Names of further pictures, which are only listed.
    """
    parts = [f"<p><b>{escape(title)}</b></p>", table.to_html(escape=True, border=0, na_rep="-")]
    if sentences:
        parts.append(f"<ul>{''.join(f'<li>{escape(each)}</li>' for each in sentences)}</ul>")
    for name, (media_type, content) in pictures.items():
        source = f"data:{media_type};base64,{base64.b64encode(content).decode()}"
        style = f"max-width: min(100%, {_WIDTH}px); display: block"
        parts.append(f'<img alt="{escape(name)}" src="{source}" style="{style}">')
    if rest:
        parts.append(f"<p>more in <code>.figures</code>: {escape(', '.join(rest))}</p>")
    return "".join(parts)
