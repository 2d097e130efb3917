"""The file that makes a folder a model of MLflow's, and those that go with it.

MLmodel                       what loads it, with which columns; see mlflow.models.Model
requirements.txt, python_env.yaml
                              what has to be installed for that
input_example.json, serving_input_example.json
                              rows to try it with, as pandas reads them and as a server takes them
"""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ModelDescription:
    """What MLflow is to know of the model in a run's folder ``model``.

    Attributes
    ----------
    loader_module
        The module that MLflow loads it with; see ``mlflow.pyfunc.add_to_model``.
    requirements
        What has to be installed for that, as pip takes it.
    inputs, outputs
        Columns and their types by MLflow's names: double, string, boolean.
    example
        Rows of values, in the order of the inputs.
    """

    loader_module: str
    requirements: Sequence[str]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    example: Sequence[Sequence[float | str | bool]]


def write_mlmodel(folder: Path, description: ModelDescription, run_id: str) -> None:
    """Describe the model that lies in ``folder`` to MLflow; what was written before is written again."""
    from mlflow.models import Model
    from mlflow.models.signature import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, Schema

    outputs = Schema([ColSpec(kind, name) for name, kind in description.outputs.items()])
    # MLflow sees to it that no column is missing; what may stand in it the model itself says, better: MLflow
    # refuses whole numbers and pandas' categories, and a server makes a truth value of anything.
    kind = AnyType()  # type: ignore[no-untyped-call]
    inputs = Schema([ColSpec(kind, name) for name in description.inputs])

    split = {"columns": list(description.inputs), "data": description.example}
    _write(folder / "input_example.json", json.dumps(split))
    _write(folder / "serving_input_example.json", json.dumps({"dataframe_split": split}))
    _write(folder / "requirements.txt", "".join(f"{each}\n" for each in description.requirements))
    python = platform.python_version()
    environment = {"python": python, "dependencies": ["-r requirements.txt"]}
    _write(folder / "python_env.yaml", json.dumps(environment))  # JSON is YAML

    model = Model(
        artifact_path="model",
        run_id=run_id,
        signature=ModelSignature(inputs, outputs),
        metadata={"columns": dict(description.inputs)},
        saved_input_example_info={
            "artifact_path": "input_example.json",
            "serving_input_path": "serving_input_example.json",
            "type": "dataframe",
            "pandas_orient": "split",
        },
    )
    # As mlflow.pyfunc.add_to_model does it, without the import, which takes long and warns.
    model.add_flavor(
        "python_function",
        loader_module=description.loader_module,
        python_version=python,
        env={"virtualenv": "python_env.yaml"},
    )
    model.save(folder / "MLmodel")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
