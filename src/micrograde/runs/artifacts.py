"""The files a run leaves: its recipe, its model, its log; the pictures among them are in drawing/run/.

config/config.yaml           the composed config; config/overrides.yaml what was typed
model/*                      the network and its preprocessing; see models/trained_network.py
model/model_card.md          what a person wants to know of it; see model_card.py
gradient_check.csv           hand-written gradients against autograd's, a line for each parameter
graph/network.{dot,svg}      the network; of a small one also graph/sample, number by number
walkthrough.html             forward and backward, step by step
importances.csv              what shuffling each column costs; see column_importances.py
predictions.parquet          what the model says of each row; see row_predictions.py
figures/*                    learning curves and more; see docs/insight.md
checkpoints/                 what is needed to resume; see checkpoints.py
train.log                    the messages of the run, with times
"""

import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from micrograde.config.schema import TrainConfig, to_container
from micrograde.core.redaction import redacted, without_password
from micrograde.gradcheck import GradientEvidence

_LOG_SECONDS = 1.0


def write_recipe(folder: Path, config: TrainConfig, overrides: Sequence[str]) -> None:
    """Write the run's config and overrides as YAML, in a form that ``parse_train_config`` accepts.

    Passwords are left out.
    """
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # in C where PyYAML has it: a third of the time
    folder = _made(folder / "config")
    for name, content in (("config", to_container(config)), ("overrides", list(overrides))):
        text = yaml.dump(redacted(content), Dumper=dumper, sort_keys=False, allow_unicode=True)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def write_evidence(folder: Path, evidence: GradientEvidence) -> None:
    """Write a line per parameter: shape, norm of the gradient, relative error of the hand-written one."""
    lines = ["parameter,shape,gradient_norm,relative_error"]
    for each in evidence.parameters:
        shape = "x".join(map(str, each.shape))
        lines.append(f"{each.name},{shape},{each.norm!r},{each.relative_error!r}")
    (folder / "gradient_check.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


class RunLog:
    """``train.log``: the messages of a run, with times.

    The file is not kept open, because a sweep has thousands of runs. Lines are buffered and written at most
    once a second, and by ``write``; ``before`` is text to begin the file with.
    """

    def __init__(self, folder: Path | None, before: str = "") -> None:
        self._folder = folder
        self._lines: list[str] = [before] if before else []
        self._next = 0.0

    def add(self, text: str) -> None:
        """Add a line, with the time."""
        if self._folder is None:
            return
        self._lines.append(f"{datetime.now():%Y-%m-%d %H:%M:%S.%f} {without_password(text)}\n")
        if time.monotonic() >= self._next:
            self.write()

    def write(self) -> None:
        """Write the lines that are buffered."""
        if self._lines and self._folder:
            with (self._folder / "train.log").open("a", encoding="utf-8") as log:
                log.writelines(self._lines)
            self._lines.clear()
            self._next = time.monotonic() + _LOG_SECONDS


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
