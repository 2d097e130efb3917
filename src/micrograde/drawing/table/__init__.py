"""Pictures of a table's columns, as one page."""

from micrograde.drawing.table.page import MARK, draw_table

__all__ = ["MARK", "draw_table"]
