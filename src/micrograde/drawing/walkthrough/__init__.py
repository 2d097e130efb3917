"""A page that plays a graph step by step, forward and backward, and works offline.

``steps.py`` computes what happens at each node, ``formulas.py`` holds its formulas, ``layout.py`` places the
nodes, ``encoding.py`` stores arrays in the page, and ``page.py`` puts the page together from ``page.html``,
``style.css`` and the scripts: ``data.js`` reads the numbers, ``heat_map.js`` and ``graph.js`` draw,
``panel.js`` explains a step, ``player.js`` plays the steps.
"""

from micrograde.drawing.walkthrough.page import Page, draw_walkthrough

__all__ = ["Page", "draw_walkthrough"]
