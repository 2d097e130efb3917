"""A plug-in of micrograde: importing it registers its entries."""

from micrograde_swirl import activation, data_set, equation, metric

__all__ = ["activation", "data_set", "equation", "metric"]
