"""The area under the ROC curve of each label."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from micrograde.metrics import METRICS, FloatArray, Labels, Metric
from micrograde.metrics.roc_auc import area_under_curve


@METRICS.register
@dataclass(frozen=True, kw_only=True)
class LabelRocAuc(Metric):
    """Of each label, the area under the ROC curve, and the mean over the labels.

    It is how often a row with the label has a greater probability of it than one without. Undefined unless
    there are rows of both kinds; so is the mean then.
    """

    name: Literal["label_roc_auc"] = "label_roc_auc"
    task: ClassVar[str] = "multilabel"
    direction: ClassVar[Literal["higher", "lower"]] = "higher"
    per_target: ClassVar[bool] = True

    def compute(self, logits: FloatArray, labels: Labels, predicted: Labels) -> FloatArray:
        """Return the area of each label, (R, K); NaN if a row's numbers overflow."""
        true = np.broadcast_to(labels == 1, predicted.shape)
        areas = [area_under_curve(logits[..., each], true[..., each]) for each in range(logits.shape[-1])]
        lost = (predicted < 0).any(axis=-2)
        return np.where(lost, np.nan, np.stack(areas, axis=-1))
