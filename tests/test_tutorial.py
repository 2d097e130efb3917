"""The tutorial runs from top to bottom, and prints what it says."""

import contextlib
import io
import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "tutorial.md"


def test_every_block_runs_and_prints_what_follows_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```(python)?\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names, printed = {}, ""
    for kind, text in blocks:
        if kind:
            assert printed == "", f"the tutorial does not show what this prints: {printed}"
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(text, names)
            printed = output.getvalue()
        else:
            assert printed == text
            printed = ""
    assert printed == ""
    assert (tmp_path / "y.png").exists()
