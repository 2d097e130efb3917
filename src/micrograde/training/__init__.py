"""Training of a stack of networks, without a word to where it is recorded or configured.

``loop.train`` is the whole of it; the other files are its parts, one concept each.
"""

from micrograde.training.batches import BatchSampler, Samples, steps_per_epoch
from micrograde.training.divergence import TrainingDiverged
from micrograde.training.early_stopping import EarlyStopping
from micrograde.training.evaluation import confusion_counts, evaluate
from micrograde.training.gradient_norms import gradient_norms
from micrograde.training.loop import EpochRecord, TrainingPlan, train
from micrograde.training.optimizers import SGD, Adam, Optimizer

__all__ = [
    "SGD",
    "Adam",
    "BatchSampler",
    "EarlyStopping",
    "EpochRecord",
    "Optimizer",
    "Samples",
    "TrainingDiverged",
    "TrainingPlan",
    "confusion_counts",
    "evaluate",
    "gradient_norms",
    "steps_per_epoch",
    "train",
]
