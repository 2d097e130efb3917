"""Drives the pipelines as a user does: as processes, against a real SQLite store."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from micrograde.tracking import local_store

ROOT = Path(__file__).parents[2]


class User:
    """Somebody at a shell, in a folder of their own, with a home that has an empty store."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home, self.folder = home, folder
        self.environment = {
            **os.environ,
            "MICROGRADE_HOME": str(home),
            "PYTHONWARNINGS": "error::UserWarning",
        }

    def start(self, pipeline: str, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, str(ROOT / "pipelines" / f"{pipeline}.py"), *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, pipeline: str, *arguments: str, status: int = 0) -> "subprocess.CompletedProcess[str]":
        process = self.start(pipeline, *arguments)
        stdout, stderr = process.communicate()
        assert process.returncode == status, f"{stdout}\n{stderr}"
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    @property
    def client(self):
        from mlflow import MlflowClient

        return MlflowClient(local_store(self.home).tracking_uri)

    def runs(self):
        client = self.client
        return client.search_runs([each.experiment_id for each in client.search_experiments()])

    def files(self) -> list[str]:
        """All files of the home, and of the folder the commands are given in."""
        folders = (self.home, self.folder)
        return sorted(str(path) for folder in folders for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def user(home, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return User(home, folder)
