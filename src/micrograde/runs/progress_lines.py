"""Lines that say how far training is."""

from collections.abc import Mapping

from micrograde.metrics import METRICS, formatted


def progress_line(unit: str, done: int, total: int, metrics: Mapping[str, float]) -> str:
    """Return a line such as ``epoch  3/50  train/loss 0.1234  ...``."""
    width = len(str(total))
    values = "  ".join(f"{name} {formatted(name, metrics[name], '.4f')}" for name in in_order(metrics))
    return f"{unit} {done:{width}d}/{total}  {values}"


def in_order(metrics: Mapping[str, float]) -> list[str]:
    """Return the losses and metrics of the training and the validation part, in the order of a line."""
    names = (f"{part}/{name}" for part in ("train", "val") for name in ("loss", *METRICS))
    return [name for name in names if name in metrics]
