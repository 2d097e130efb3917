"""A plug-in of micrograde: importing it registers its entries."""

from micrograde_swirl import activation, equation

__all__ = ["activation", "equation"]
