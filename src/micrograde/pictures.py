"""The pictures a run leaves in ``figures/``: those that cost next to nothing, and those of a run by itself.

Light, a few milliseconds each, also for every run of a sweep: learning curves, gradient flow, update ratios,
the confusion matrix of the test part, and of image data the first layer's weights as images.

All: also histograms of activations and gradients, the loss surface around the path that the parameters took,
and of data with two features the decision boundary over the epochs, as a picture and as an animation.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from micrograde.assembly import PreparedData
from micrograde.nn import MLP
from micrograde.nn.arrays import IntArray
from micrograde.training import Trajectory, decision_boundary, distributions, loss_surface

History = Mapping[str, Sequence[float]]


def write_light_pictures(
    folder: Path, title: str, history: History, model: MLP, data: PreparedData, confusion: IntArray | None
) -> None:
    """The pictures of a run that has ended at least one epoch.

    Parameters
    ----------
    history
        Each metric's value after every epoch.
    model
        As it was left, a stack of one.
    confusion
        (C, C) of the test part; None where there is none.
    """
    from micrograde import drawing

    folder.mkdir(parents=True, exist_ok=True)
    drawing.draw_learning_curves(history, title=title).save(folder / "learning_curves.svg")
    drawing.draw_gradient_flow(history, title=title).save(folder / "gradient_flow.svg")
    if any(metric.startswith("update_ratio/") for metric in history):
        drawing.draw_update_ratios(history, title=title).save(folder / "update_ratios.svg")
    if confusion is not None:
        lost = (len(data.test) if data.test else 0) - int(confusion.sum())
        picture = drawing.draw_confusion_matrix(
            confusion, class_names=data.dataset.class_names, title=title, of_no_class=lost
        )
        picture.save(folder / "confusion_matrix.svg")
    if data.dataset.image_shape:
        images = model.layer1.weights[0].T.reshape(-1, *data.dataset.image_shape)
        drawing.draw_weight_images(images, title=title).save(folder / "first_layer_weights.svg")


def write_other_pictures(
    folder: Path, title: str, model: MLP, trajectory: Trajectory, data: PreparedData, batch_size: int
) -> None:
    """What takes a tenth of a second each, beside the light ones; what cannot be drawn is left out."""
    from micrograde import drawing

    with np.errstate(all="ignore"):  # a run that diverged has pictures, too
        found = distributions(model, trajectory, data.training, batch_size)
        if found:
            picture = drawing.draw_histograms(found.epochs, found.activations, found.gradients, title=title)
            picture.save(folder / "histograms.svg")
        surface = loss_surface(model, trajectory, data.training)
        if surface:
            drawing.draw_loss_surface(
                surface.losses, surface.x_range, surface.y_range, surface.path, surface.epochs,
                explained=surface.explained, title=title,
            ).save(folder / "loss_surface.svg")  # fmt: skip
        _write_boundary(folder, title, model, trajectory, data)


def _write_boundary(folder: Path, title: str, model: MLP, trajectory: Trajectory, data: PreparedData) -> None:
    """In the units that the data came in."""
    from micrograde import drawing

    boundary = decision_boundary(model, trajectory, data.training)
    if boundary is None:
        return
    preprocessing = data.preprocessing
    points = data.training.features * preprocessing.scales + preprocessing.means
    x_range, y_range = (
        (low * scale + mean, high * scale + mean)
        for (low, high), scale, mean in zip(
            (boundary.x_range, boundary.y_range), preprocessing.scales, preprocessing.means, strict=True
        )
    )
    regions = drawing.ClassRegions(
        boundary.epochs, boundary.probabilities, boundary.accuracies.tolist(), points, data.training.labels,
        x_range, y_range,
    )  # fmt: skip
    first, second = preprocessing.feature_names
    drawing.draw_decision_boundary(
        regions, class_names=preprocessing.class_names, feature_names=(first, second), title=title
    ).save(folder / "decision_boundary.svg")
    drawing.animate_decision_boundary(regions, title=title).save(folder / "decision_boundary.gif")
