"""Draw a graph of boxes that hold stacked lines of text, as DOT and as SVG.

The runs of a sweep draw one and the same graph with other numbers in it. Graphviz lays it out once, with room
for the widest number, and the SVG of each run is that layout with the run's own numbers.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from micrograde.drawing.graph.rendering import graph_attributes, node_attributes, render_source

if TYPE_CHECKING:
    import graphviz

_NUMBER = re.compile(r"-?(?:\d+(?:\.\d*)?(?:e[-+]\d+)?|inf|nan)")
_ROOM = "-0.0000"  # digits are equally wide, so each shorter number fits
_NAME_OR_TEXT = re.compile(r"<title>(?P<name>[^<]*)</title>|>(?P<text>[^<>]*)</text>")
_ESCAPES = str.maketrans({each: f"\\{each}" for each in '\\|{}<>"'})
_LAYOUTS = 64  # of about 100 kB; the runs of a sweep share a few


@dataclass(frozen=True)
class Box:
    """A node of a graph.

    Attributes
    ----------
    name
        Its identifier; letters, digits and underscores.
    words
        What stands in the upper fields of the box, one below the other; a field may have several lines.
    measures
        What stands in the lower fields: those whose numbers differ between runs.
    style
        Its attributes in DOT, such as ``fillcolor="#FFFFFF"``.
    """

    name: str
    words: tuple[str, ...]
    measures: tuple[str, ...]
    style: str

    def lines(self) -> list[str]:
        """Return the lines of text from top to bottom."""
        return [_drawable(line) for field in self.words + self.measures for line in field.split("\n")]


@dataclass(frozen=True)
class Edge:
    """An arrow between two boxes, given by their names."""

    start: str
    end: str
    style: str = ""


@dataclass(frozen=True)
class BoxGraph:
    """Boxes and edges, from left to right; the title stands above them and may have several lines."""

    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    title: str = ""

    def save(self, path: Path) -> None:
        """Write ``<path>.dot`` and ``<path>.svg``; a PNG would take five times as long."""
        Path(f"{path}.dot").write_text(self.digraph().source, encoding="utf-8")
        Path(f"{path}.svg").write_text(self.svg(), encoding="utf-8")

    def digraph(self) -> "graphviz.Digraph":
        """Return the graph in the data type of the package ``graphviz``."""
        import graphviz

        above = "\\n".join(graphviz.escape(line) for line in self._title_lines())
        return graphviz.Digraph(
            graph_attr={**graph_attributes(), **({"label": above, "labelloc": "t"} if above else {})},
            node_attr=node_attributes(),
            edge_attr={"arrowsize": "0.7"},
            body=[*map(_node, self.boxes), *map(_arrow, self.edges)],
        )

    def svg(self) -> str:
        """Return the graph as SVG text.

        Raises
        ------
        RuntimeError
            If there is no renderer, or it refuses the graph; the message is one line.
        """
        layout = _lay_out(self._with_room())
        if layout is None:
            return render_source(self.digraph().source, "svg").decode()
        lines = [escape(line) for line in self.lines()]
        filled = "".join(f"{gap}{lines[at]}" for gap, at in zip(layout.gaps, layout.places, strict=True))
        return filled + layout.rest

    def lines(self) -> list[str]:
        """Return all lines of text: those of the title, and those of each box."""
        return [*self._title_lines(), *(line for box in self.boxes for line in box.lines())]

    def _with_room(self) -> "BoxGraph":
        """Return the graph with the widest numbers in the place of its own."""
        boxes = (
            replace(box, measures=tuple(_NUMBER.sub(_room, each) for each in box.measures))
            for box in self.boxes
        )
        return replace(self, boxes=tuple(boxes), title=re.sub(r"\d", "0", self.title))

    def _title_lines(self) -> list[str]:
        return [_drawable(line) for line in self.title.splitlines()]


@dataclass(frozen=True)
class _Layout:
    """An SVG without its texts.

    Attributes
    ----------
    gaps
        What stands before each text.
    places
        Which line of the graph each text is.
    rest
        What stands after the last text.
    """

    gaps: tuple[str, ...]
    places: tuple[int, ...]
    rest: str


@lru_cache(_LAYOUTS)
def _lay_out(graph: BoxGraph) -> _Layout | None:
    """Draw the graph and take its texts out; return None if they are not its lines.

    A line of white space, for one, is not drawn at all. Graphviz draws the boxes in an order of its own.
    """
    svg = render_source(graph.digraph().source, "svg").decode()
    lines = graph.lines()
    next_of = {"": 0}  # of the title, and of each box
    at = len(lines) - sum(len(box.lines()) for box in graph.boxes)
    for box in graph.boxes:
        next_of[box.name] = at
        at += len(box.lines())
    owner, end = "", 0
    gaps, places, drawn = [], [], []
    for found in _NAME_OR_TEXT.finditer(svg):
        if found["text"] is None:
            owner = found["name"]
            continue
        gaps.append(svg[end : found.start("text")])
        end = found.end("text")
        places.append(next_of[owner])
        next_of[owner] += 1
        drawn.append(unescape(found["text"]).replace("\N{NO-BREAK SPACE}", " "))
    if sorted(places) != list(range(len(lines))) or drawn != [lines[place] for place in places]:
        return None
    return _Layout(tuple(gaps), tuple(places), svg[end:])


def _room(number: re.Match[str]) -> str:
    return _ROOM if len(number[0]) <= len(_ROOM) else "0" * len(number[0])


def _node(box: Box) -> str:
    fields = " | ".join(
        "\\n".join(_escaped(_drawable(line)) for line in field.split("\n"))
        for field in box.words + box.measures
    )
    return f'\t{box.name} [label="{fields}" {box.style}]\n'


def _arrow(edge: Edge) -> str:
    return f"\t{edge.start} -> {edge.end}{f' [{edge.style}]' if edge.style else ''}\n"


def _drawable(line: str) -> str:
    """Blank the characters that cannot be drawn."""
    return line if line.isprintable() else "".join(each if each.isprintable() else " " for each in line)


def _escaped(line: str) -> str:
    """Escape the characters that are special in the label of a record, and those that would end it."""
    return line.translate(_ESCAPES)
