"""Training of a stack of networks, independent of how it is configured and where it is recorded.

``loop.Training`` puts it together; the other files are its parts, one concept each.
"""

from micrograde.training.batches import BatchSampler, batch_sizes, steps_per_epoch
from micrograde.training.callbacks import CALLBACKS, Callback, CallbackSettings, start_callbacks
from micrograde.training.divergence import Divergence
from micrograde.training.evaluation import (
    confusion_counts,
    evaluate,
    measure,
    rows_of_no_class,
    rows_without_answer,
)
from micrograde.training.freezing import Freezing, frozen_stretches, layers_that_learn
from micrograde.training.gradient_norms import GradientNorms, gradient_norms
from micrograde.training.label_noise import noisy_labels
from micrograde.training.learned_classes import LearnedClasses, balanced_weights
from micrograde.training.loop import Departure, EpochRecord, Training
from micrograde.training.optimizers import OPTIMIZERS, Optimizer, StackOptimizer
from micrograde.training.parallel import StackRunner, replicas_per_stack
from micrograde.training.plan import TrainingPlan
from micrograde.training.samples import Samples, SampleSets
from micrograde.training.schedules import SCHEDULES, Schedule, learning_rate_factors
from micrograde.training.snapshots import ForeignSnapshotError, Snapshot
from micrograde.training.step_log import StepRecord

__all__ = [
    "CALLBACKS",
    "OPTIMIZERS",
    "SCHEDULES",
    "BatchSampler",
    "Callback",
    "CallbackSettings",
    "Departure",
    "Divergence",
    "EpochRecord",
    "ForeignSnapshotError",
    "Freezing",
    "GradientNorms",
    "LearnedClasses",
    "Optimizer",
    "SampleSets",
    "Samples",
    "Schedule",
    "Snapshot",
    "StackOptimizer",
    "StackRunner",
    "StepRecord",
    "Training",
    "TrainingPlan",
    "balanced_weights",
    "batch_sizes",
    "confusion_counts",
    "evaluate",
    "frozen_stretches",
    "gradient_norms",
    "layers_that_learn",
    "learning_rate_factors",
    "measure",
    "noisy_labels",
    "replicas_per_stack",
    "rows_of_no_class",
    "rows_without_answer",
    "start_callbacks",
    "steps_per_epoch",
]
