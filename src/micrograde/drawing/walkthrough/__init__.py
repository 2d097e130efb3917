"""A graph walked step by step, forward and backward, as one page that needs no network.

``steps.py`` says what happens at each node, ``formulas.py`` how it is written, ``layout.py`` where the nodes
lie, ``encoding.py`` how arrays reach the page, and ``page.py`` puts the page together from ``page.html``,
``style.css`` and the scripts: ``data.js`` reads the numbers, ``heat_map.js`` and ``graph.js`` draw,
``panel.js`` explains a step, ``player.js`` plays them.
"""

from micrograde.drawing.walkthrough.page import Page, draw_walkthrough

__all__ = ["Page", "draw_walkthrough"]
