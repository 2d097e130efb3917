"""Pictures of what happened, as matplotlib figures; matplotlib is imported when one is drawn."""

from micrograde.drawing.confusion import draw_confusion_matrix
from micrograde.drawing.curves import draw_learning_curves
from micrograde.drawing.style import save_figure

__all__ = ["draw_confusion_matrix", "draw_learning_curves", "save_figure"]
