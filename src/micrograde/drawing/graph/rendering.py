"""From a graph's DOT source to SVG and PNG, with the renderer that comes along: no system package needed."""

import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from micrograde.drawing.style import INK, PALE_INK, PAPER

if TYPE_CHECKING:
    import graphviz


def render_graph(
    graph: "graphviz.Digraph",
    path: Path | str,
    formats: Sequence[str] = ("svg", "png"),
    *,
    system: bool = False,
) -> list[Path]:
    """Draw a graph into files ``<path>.<format>``; the files, in the order of the formats.

    Parameters
    ----------
    path
        Without a suffix.
    formats
        svg, png, dot, or what else the renderer knows.
    system
        Draw with the system's ``dot`` instead of the bundled graphviz-pure.

    Raises
    ------
    RuntimeError
        If there is no renderer, or it refuses the graph; in one line.
    """
    targets = [Path(f"{path}.{each}") for each in formats]
    outputs = [
        argument
        for target, each in zip(targets, formats, strict=True)
        for argument in (f"-T{each}", "-o", target)
    ]
    command = [_renderer(system), *map(str, outputs)]
    done = subprocess.run(command, input=graph.source.encode(), capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the graph cannot be drawn: {done.stderr.decode(errors='replace').strip()}")
    return targets


def render_source(source: str, form: str) -> bytes:
    """The picture of a DOT source, by the bundled renderer."""
    done = subprocess.run(
        [_renderer(False), f"-T{form}"], input=source.encode(), capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the graph cannot be drawn: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def graph_attributes() -> dict[str, str]:
    """What all graphs share: from left to right, on paper of their own."""
    return {
        "rankdir": "LR",
        "bgcolor": PAPER,
        "fontname": "Helvetica",
        "fontcolor": INK,
        "fontsize": "13",
        "nodesep": "0.2",
        "ranksep": "0.35",
    }


def node_attributes() -> dict[str, str]:
    """Records with round corners, to be filled with a pale colour."""
    return {
        "shape": "record",
        "style": "filled,rounded",
        "color": PALE_INK,
        "fillcolor": PAPER,
        "fontname": "Helvetica",
        "fontcolor": INK,
        "fontsize": "11",
    }


def _renderer(system: bool) -> str:
    """The program that draws: the bundled one lies beside this interpreter's other commands."""
    name = "dot" if system else "graphviz-pure"
    found = shutil.which(name) if system else shutil.which(name, path=sysconfig.get_path("scripts"))
    found = found or shutil.which(name)
    if found is None:
        how = "install Graphviz" if system else "pip install graphviz-pure"
        raise RuntimeError(f"the graph cannot be drawn: there is no {name} here; {how}")
    return found
