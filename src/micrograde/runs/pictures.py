"""The pictures a run leaves in ``figures/``: light ones for every run, all of them for a run by itself.

Light, a few milliseconds each, also for every run of a sweep: learning curves, gradient flow, update ratios,
the confusion matrix of the test part, and for image data the first layer's weights as images.

All: also histograms of activations and gradients, the loss surface around the path that the parameters took,
and for data with two features the decision boundary over the epochs, as a picture and as an animation.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from micrograde.diagnostics import Trajectory, decision_boundary, distributions, loss_surface
from micrograde.drawing import Say
from micrograde.nn import MLP
from micrograde.nn.arrays import IntArray
from micrograde.runs.building import PreparedData

_RESOLUTION = 1e-9  # least distance of a picture's edges from the data, as a share of a feature's size

History = Mapping[str, Sequence[float]]


def write_light_pictures(
    folder: Path,
    title: str,
    history: History,
    model: MLP,
    data: PreparedData,
    confusion: IntArray | None,
    say: Say | None = None,
) -> None:
    """Write the light pictures of a run that has completed at least one epoch.

    Parameters
    ----------
    history
        Each metric's value after every epoch.
    model
        The trained network, a stack of one.
    confusion
        Confusion counts (C, C) of the test part; None if there is none.
    say
        Called with a message for each picture that cannot be drawn and is left out; see ``left_out``.
    """
    from micrograde import drawing

    folder.mkdir(parents=True, exist_ok=True)
    with drawing.left_out("figures/learning_curves.svg", say):
        drawing.draw_learning_curves(history, title=title).save(folder / "learning_curves.svg")
    with drawing.left_out("figures/gradient_flow.svg", say):
        drawing.draw_gradient_flow(history, title=title).save(folder / "gradient_flow.svg")
    if any(metric.startswith("update_ratio/") for metric in history):
        with drawing.left_out("figures/update_ratios.svg", say):
            drawing.draw_update_ratios(history, title=title).save(folder / "update_ratios.svg")
    if confusion is not None:
        with drawing.left_out("figures/confusion_matrix.svg", say):
            names, lost = data.dataset.class_names, len(data.test or ()) - int(confusion.sum())
            picture = drawing.draw_confusion_matrix(
                confusion, class_names=names, title=title, of_no_class=lost
            )
            picture.save(folder / "confusion_matrix.svg")
    if data.dataset.image_shape:
        with drawing.left_out("figures/first_layer_weights.svg", say):
            images = model.layer1.weights[0].T.reshape(-1, *data.dataset.image_shape)
            drawing.draw_weight_images(images, title=title).save(folder / "first_layer_weights.svg")


def write_other_pictures(
    folder: Path,
    title: str,
    model: MLP,
    trajectory: Trajectory,
    data: PreparedData,
    batch_size: int,
    say: Say | None = None,
) -> None:
    """Write the other pictures, about a tenth of a second each; ``say`` as in ``write_light_pictures``."""
    from micrograde import drawing

    with np.errstate(all="ignore"):  # a diverged run has pictures, too
        with drawing.left_out("figures/histograms.svg", say):
            found = distributions(model, trajectory, data.training, batch_size)
            if found:
                epochs, kinds = found.epochs, (found.activations, found.gradients)
                drawing.draw_histograms(epochs, *kinds, title=title).save(folder / "histograms.svg")
        with drawing.left_out("figures/loss_surface.svg", say):
            surface = loss_surface(model, trajectory, data.training)
            if surface:
                drawing.draw_loss_surface(
                    surface.losses, surface.x_range, surface.y_range, surface.path, surface.epochs,
                    explained=surface.explained, title=title,
                ).save(folder / "loss_surface.svg")  # fmt: skip
        with drawing.left_out("figures/decision_boundary.svg", say):
            _write_boundary(folder, title, model, trajectory, data, say)


def _write_boundary(
    folder: Path,
    title: str,
    model: MLP,
    trajectory: Trajectory,
    data: PreparedData,
    say: Say | None = None,
) -> None:
    """Write the decision boundary, as a picture and an animation, in the original units of the data."""
    from micrograde import drawing

    preprocessing = data.preprocessing
    # A constant feature of 1e16 has no other numbers within 1 of it.
    room = _RESOLUTION * np.abs(preprocessing.means) / preprocessing.scales
    boundary = decision_boundary(model, trajectory, data.training, least_room=room)
    if boundary is None:
        return
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
    with drawing.left_out("figures/decision_boundary.gif", say):
        drawing.animate_decision_boundary(regions, title=title).save(folder / "decision_boundary.gif")
