"""Render a graph's DOT source as SVG or PNG with the bundled renderer; no system package is needed."""

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
    """Draw a graph into files ``<path>.<format>`` and return their paths, in the order of the formats.

    Parameters
    ----------
    path
        Path without a suffix.
    formats
        svg, png, dot, or another format of the renderer.
    system
        Whether to draw with the system's ``dot`` instead of the bundled graphviz-pure.

    Raises
    ------
    RuntimeError
        If there is no renderer, or it refuses the graph; the message is one line.
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
    """Render a DOT source in the format ``form`` with the bundled renderer and return the file's bytes."""
    done = subprocess.run(
        [_renderer(False), f"-T{form}"], input=source.encode(), capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the graph cannot be drawn: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def graph_attributes() -> dict[str, str]:
    """Return the attributes that all graphs share: left to right, on a white background."""
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
    """Return the attributes of nodes: records with round corners, to be filled with a pale colour."""
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
    """Return the path of the renderer; the bundled one is among the commands of this interpreter."""
    name = "dot" if system else "graphviz-pure"
    found = shutil.which(name) if system else shutil.which(name, path=sysconfig.get_path("scripts"))
    found = found or shutil.which(name)
    if found is None:
        how = "install Graphviz" if system else "pip install graphviz-pure"
        raise RuntimeError(f"the graph cannot be drawn: there is no {name} here; {how}")
    return found
