"""README's numbers hold on other processors: what BLAS computes otherwise shows in no digit that matters."""

import json
import os
import re
import subprocess
import sys

import pytest
from tests.docs.reader import ROOT
from tests.narrowing import not_none

README = (ROOT / "README.md").read_text(encoding="utf-8")
RUN = """
import json, micrograde as mg
metrics = mg.run("tracking=disabled").metrics
print(json.dumps(metrics))
"""


@pytest.mark.slow
@pytest.mark.parametrize("kernel", ["Haswell", "Prescott"])
def test_the_first_run_comes_to_what_is_shown_on_another_kernel_of_openblas(kernel):
    shown = {
        part: not_none(
            re.search(rf"^{name} +accuracy ([\d.]+)  loss ([\d.]+)(?:  |$)", README, re.MULTILINE)
        ).groups()
        for part, name in (("val", "validation"), ("test", "test"))
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        env={**os.environ, "OPENBLAS_CORETYPE": kernel},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    metrics = json.loads(done.stdout.splitlines()[-1])
    for part, (accuracy, loss) in shown.items():
        assert f"{metrics[f'kept/{part}/accuracy']:.4f}" == accuracy
        assert metrics[f"kept/{part}/loss"] == pytest.approx(float(loss), abs=1e-3)
