"""Which code made a run, and who ran it where."""

import getpass
import subprocess
from importlib.metadata import version
from pathlib import Path


def provenance_tags(checkout: Path) -> dict[str, str]:
    """Tags every run gets: code version, git commit, whether the tree was dirty, user.

    Outside a git checkout, or without git, the git tags are left out.
    """
    tags = {
        "micrograde.version": version("micrograde"),
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": "pipelines/train.py",
        "mlflow.user": _user(),
    }
    commit = _git(checkout, "rev-parse", "HEAD")
    if commit:
        tags["mlflow.source.git.commit"] = commit
        tags["micrograde.git_dirty"] = "true" if _git(checkout, "status", "--porcelain") else "false"
    return tags


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, or None where there is none to ask."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "unknown"
