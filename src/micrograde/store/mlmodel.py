"""Write the files that make a folder an MLflow model.

MLmodel                       the module that loads it, and its columns; see mlflow.models.Model
requirements.txt, python_env.yaml
                              what has to be installed to load it
input_example.json, serving_input_example.json
                              rows to try it with, in the formats of pandas and of a model server
model_card.md                 what a person wants to know of it; it is there already, and gets the run's id
"""

import functools
import importlib.metadata
import json
import platform
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # ten times as fast, if PyYAML has it
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MLMODEL = "MLmodel"
"""The file that makes a folder a model of MLflow's."""
CARD = "model_card.md"
RUN_ID = "<this run's id>"
"""What stands for the run's id in a model's card until a store gives it one; data never read like this."""


@dataclass(frozen=True)
class ModelDescription:
    """The description for MLflow of the model in a run's folder ``model``.

    Attributes
    ----------
    loader_module
        The module that MLflow loads the model with; see ``mlflow.pyfunc.add_to_model``.
    requirements
        What has to be installed to load it, one pip requirement each.
    inputs, outputs
        Columns, and MLflow's names of their types: double, string, boolean.
    example
        Rows of values, in the order of the inputs.
    """

    loader_module: str
    requirements: Sequence[str]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    example: Sequence[Sequence[float | str | bool]]


def write_mlmodel(folder: Path, description: ModelDescription, run_id: str) -> None:
    """Write the files that describe the model in ``folder`` to MLflow; existing ones are overwritten.

    ``MLmodel`` has what ``mlflow.models.Model.save`` would write; a test compares the two.
    """
    split = {"columns": list(description.inputs), "data": description.example}
    _write(folder / "input_example.json", json.dumps(split))
    _write(folder / "serving_input_example.json", json.dumps({"dataframe_split": split}))
    _write(folder / "requirements.txt", "".join(f"{each}\n" for each in description.requirements))
    environment = {"python": platform.python_version(), "dependencies": ["-r requirements.txt"]}
    _write(folder / "python_env.yaml", json.dumps(environment))  # JSON is YAML
    _write_yaml(folder / MLMODEL, _described(description, run_id))
    card = folder / CARD
    if card.exists():
        _write(card, card.read_text(encoding="utf-8").replace(RUN_ID, run_id))


def set_model_id(path: Path, model_id: str) -> None:
    """Write the id of a logged model into a file ``MLmodel``."""
    described = _LOADER(path.read_text(encoding="utf-8")).get_single_data()  # plain data alone
    _write_yaml(path, {**described, "model_id": model_id})


def _described(description: ModelDescription, run_id: str) -> dict[str, object]:
    # MLflow checks that no column is missing. The values are checked by the model itself, as MLflow would
    # refuse integers and pandas' categories, and a model server would convert anything to a boolean.
    inputs = [{"type": "any", "name": name, "required": True} for name in description.inputs]
    outputs = [{"type": kind, "name": name, "required": True} for name, kind in description.outputs.items()]
    return {
        "artifact_path": "model",
        "flavors": {
            # As mlflow.pyfunc.add_to_model does it.
            "python_function": {
                "loader_module": description.loader_module,
                "python_version": platform.python_version(),
                "env": {"virtualenv": "python_env.yaml"},
            }
        },
        "is_signature_from_type_hint": False,
        "metadata": {"columns": dict(description.inputs)},
        "mlflow_version": _mlflow_version(),
        "model_id": None,
        "model_uuid": uuid.uuid4().hex,
        "prompts": None,
        "run_id": run_id,
        "saved_input_example_info": {
            "artifact_path": "input_example.json",
            "serving_input_path": "serving_input_example.json",
            "type": "dataframe",
            "pandas_orient": "split",
        },
        "signature": {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs), "params": None},
        "type_hint_from_example": False,
        "utc_time_created": str(datetime.now(UTC).replace(tzinfo=None)),
    }


@functools.cache
def _mlflow_version() -> str:
    """Return the version of MLflow that is installed, without importing it."""
    return importlib.metadata.version("mlflow")


def _write_yaml(path: Path, content: object) -> None:
    _write(path, yaml.dump(content, Dumper=_DUMPER, default_flow_style=False))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
