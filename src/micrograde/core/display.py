"""How Jupyter shows things that know no drawing: the package sets the function that draws them."""

from collections.abc import Callable
from typing import Any


class GraphDrawer:
    """The function that draws a variable's graph as SVG; None, where there is none, shows text alone."""

    draw: Callable[[Any], str] | None = None
