"""Write the files that make a folder an MLflow model.

MLmodel                       the module that loads it, and its columns; see mlflow.models.Model
requirements.txt, python_env.yaml
                              what has to be installed to load it
input_example.json, serving_input_example.json
                              rows to try it with, in the formats of pandas and of a model server
model_card.md                 what a person wants to know of it; it is there already, and gets the run's id
"""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
    """Write the files that describe the model in ``folder`` to MLflow; existing ones are overwritten."""
    from mlflow.models import Model
    from mlflow.models.signature import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, Schema

    outputs = Schema([ColSpec(kind, name) for name, kind in description.outputs.items()])
    # MLflow checks that no column is missing. The values are checked by the model itself, as MLflow would
    # refuse integers and pandas' categories, and a model server would convert anything to a boolean.
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
    # As mlflow.pyfunc.add_to_model does it, but without importing mlflow.pyfunc, which is slow and warns.
    model.add_flavor(
        "python_function",
        loader_module=description.loader_module,
        python_version=python,
        env={"virtualenv": "python_env.yaml"},
    )
    model.save(folder / "MLmodel")
    card = folder / CARD
    if card.exists():
        _write(card, card.read_text(encoding="utf-8").replace(RUN_ID, run_id))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
