"""Training of a stack of networks, independent of how it is configured and where it is recorded.

``loop.Training`` puts it together; the other files are its parts, one concept each.
"""

from micrograde.training.batches import BatchSampler, Samples, steps_per_epoch
from micrograde.training.callbacks import Callback
from micrograde.training.divergence import Divergence
from micrograde.training.early_stopping import EarlyStopping
from micrograde.training.evaluation import confusion_counts, evaluate, measure, rows_of_no_class
from micrograde.training.gradient_norms import gradient_norms
from micrograde.training.label_noise import noisy_labels
from micrograde.training.loop import Departure, EpochRecord, Training, TrainingPlan
from micrograde.training.optimizers import OPTIMIZERS, Optimizer, StackOptimizer
from micrograde.training.parallel import StackRunner, replicas_per_stack
from micrograde.training.schedules import SCHEDULES, Schedule, learning_rate_factors
from micrograde.training.snapshots import ForeignSnapshotError, Snapshot

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "BatchSampler",
    "Callback",
    "Departure",
    "Divergence",
    "EarlyStopping",
    "EpochRecord",
    "ForeignSnapshotError",
    "Optimizer",
    "Samples",
    "Schedule",
    "Snapshot",
    "StackOptimizer",
    "StackRunner",
    "Training",
    "TrainingPlan",
    "confusion_counts",
    "evaluate",
    "gradient_norms",
    "learning_rate_factors",
    "measure",
    "noisy_labels",
    "replicas_per_stack",
    "rows_of_no_class",
    "steps_per_epoch",
]
