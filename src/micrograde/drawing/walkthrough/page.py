"""Build the page from its template, style and scripts, which are beside this file, and the graph as JSON."""

import json
import re
from dataclasses import asdict, dataclass, field
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from micrograde.autograd import Variable
from micrograde.drawing import style
from micrograde.drawing.walkthrough.encoding import ArrayTable
from micrograde.drawing.walkthrough.layout import TITLE_SIGNS, Layout, lay_out
from micrograde.drawing.walkthrough.steps import Node, Share, Walk, walk

LIMIT = 600
"""The most nodes that are shown; the scalar graph of 60 parameters has about 200."""

_SCRIPTS = ("data.js", "heat_map.js", "graph.js", "panel.js", "player.js")


@dataclass(frozen=True)
class Page:
    """A self-contained HTML page."""

    text: str = field(repr=False)

    def _repr_html_(self) -> str:
        """Return the page in a frame, for Jupyter; its script cannot access the notebook."""
        return (
            f'<iframe srcdoc="{escape(self.text)}" sandbox="allow-scripts" '
            'style="width:100%;height:700px;border:0"></iframe>'
        )

    def save(self, path: Path) -> None:
        """Write the file; equal pages give equal bytes."""
        path.write_text(self.text, encoding="utf-8")


def draw_walkthrough(root: Variable, *, title: str, subtitle: str = "") -> Page:
    """Return a page that plays the graph of ``root`` forward and backward step by step.

    Parameters
    ----------
    root
        A variable whose ``backward`` has been called. If its graph has more than ``LIMIT`` nodes, only those
        nearest to it are shown, and the page says so.
    title, subtitle
        Any text.

    Raises
    ------
    RuntimeError
        If there is no renderer to lay out the graph.
    """
    graph = walk(root, LIMIT)
    parts = {
        "title": escape(_encodable(title)),
        "colours": _colours(),
        "style": _resource("style.css"),
        "data": _embedded(_content(graph, lay_out(graph), title, subtitle)),
        "script": "\n".join(map(_resource, _SCRIPTS)),
    }
    # In one pass, so that text in the data that looks like a placeholder is not replaced.
    return Page(re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], _resource("page.html")))


def _content(graph: Walk, layout: Layout, title: str, subtitle: str) -> dict[str, Any]:
    arrays = ArrayTable()
    nodes = [
        {**_node(node, arrays), "x": box.x, "y": box.y, "width": box.width, "height": box.height}
        for node, box in zip(graph.nodes, layout.boxes, strict=True)
    ]
    return {
        "title": title,
        "subtitle": subtitle,
        "total": graph.total,
        "titleSigns": TITLE_SIGNS,
        "width": layout.width,
        "height": layout.height,
        "nodes": nodes,
        "edges": [asdict(edge) for edge in layout.edges],
        "steps": graph.steps,
        "formulas": {node.symbol: asdict(node.formula) for node in graph.nodes if node.formula},
        "arrays": arrays.entries,
    }


def _node(node: Node, arrays: ArrayTable) -> dict[str, Any]:
    return {
        "symbol": node.symbol,
        "name": node.name,
        "label": node.label,
        "kind": node.kind,
        "value": arrays.refer(node.value),
        "gradient": arrays.refer(node.gradient),
        "operands": node.operands,
        "shares": [share and _share(share, arrays) for share in node.shares],
        "hasRest": node.has_rest,
    }


def _share(share: Share, arrays: ArrayTable) -> dict[str, Any]:
    return {
        "local": arrays.refer(share.local),
        "whole": arrays.refer(share.whole),
        "value": arrays.refer(share.value),
        "summed": share.summed,
    }


def _embedded(content: dict[str, Any]) -> str:
    """Return JSON to be embedded in a script element, which no text in it can end."""
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


def _encodable(text: str) -> str:
    """Replace lone surrogates, which cannot be encoded in UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _colours() -> str:
    """Return the colours of all pictures as CSS variables."""
    orange, green, pink, sky, yellow, _ = style.PALETTE[1:]
    colours = {
        "ink": style.INK,
        "pale-ink": style.PALE_INK,
        "grid": style.GRID,
        "paper": style.PAPER,
        "blue": style.TRAIN_COLOUR,
        "vermilion": style.VALIDATION_COLOUR,
        "orange": orange,
        "green": green,
        "pink": pink,
        "sky": sky,
        "yellow": yellow,
    }
    return ":root {" + " ".join(f"--{name}: {colour};" for name, colour in colours.items()) + "}"


def _resource(name: str) -> str:
    return (files("micrograde.drawing.walkthrough") / name).read_text(encoding="utf-8")
