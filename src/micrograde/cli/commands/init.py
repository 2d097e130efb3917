"""Make the working directory a project, with an example of a preset. Nothing that is there is changed.

A project keeps its runs in ``mlruns/``, also for commands that are started in folders below it, and its own
config files in ``conf/``.
"""

import argparse
import sys
from pathlib import Path

from micrograde.core.project import MARK, command_line

_FILES = {
    MARK: """\
# This folder is a micrograde project: its runs are kept in mlruns/, and conf/ has options of its own.
""",
    "conf/experiment/example.yaml": """\
# @package _global_
# A preset: what is set here holds with experiment=example, and what is typed wins.
# It may set any key, and choose an option of any group.
defaults:
  - override /data: moons          # for a table of your own: csv, with path and target below
  - override /optimizer: adam

# data:
#   path: ../flowers.csv
#   target: species
model:
  hidden_size: [16, 16]
training:
  num_epochs: 30
""",
    "conf/README.md": """\
# Your own options

A file here is an option of a config group, and wins over micrograde's option of the same name:

- `conf/optimizer/sgd.yaml` with `learning_rate: 0.05` changes the default of `optimizer=sgd`;
- `conf/optimizer/slow.yaml` with `name: sgd` and `learning_rate: 0.001` adds `optimizer=slow`;
- `conf/experiment/mine.yaml` is a preset over all groups, as `example.yaml` is.

Keys that a file leaves out have their defaults. `micrograde train --help` lists all keys and groups, and
`micrograde train experiment=example --cfg job` shows what comes out.
""",
    ".gitignore": """\
mlruns/
""",
}


def main() -> None:
    """Write the files that are not there yet, and say what to type next; exit with status 2 on a mistake."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    for name, text in _FILES.items():
        path = Path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            print(f"kept     {name}")
        except OSError as error:
            print(f"{name}: cannot be written ({error.strerror})", file=sys.stderr)
            sys.exit(2)
        else:
            print(f"written  {name}")
    print(f"next     {command_line('train', 'experiment=example')}")
