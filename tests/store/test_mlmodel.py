"""The files that make a folder a model of MLflow's, against what MLflow itself writes."""

import yaml

from micrograde.store.mlmodel import MLMODEL, ModelDescription, set_model_id, write_mlmodel

ODD = "a 'quoted': \"name\" # ß🦉\x85\u2028 \x7f\ttab"
DESCRIPTION = ModelDescription(
    "a_module",
    ["a_module==1"],
    {"x": "double", ODD: "string", "yes": "boolean"},
    {"class": "string", f"probability_{ODD}": "double"},
    [[1.0, "a", True]],
)


def as_mlflow_writes_it(folder, described):
    from mlflow.models import Model
    from mlflow.models.signature import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, Schema

    outputs = Schema([ColSpec(kind, name) for name, kind in DESCRIPTION.outputs.items()])
    kind = AnyType()
    model = Model(
        artifact_path="model",
        run_id="0" * 32,
        signature=ModelSignature(Schema([ColSpec(kind, name) for name in DESCRIPTION.inputs]), outputs),
        metadata={"columns": dict(DESCRIPTION.inputs)},
        saved_input_example_info=described["saved_input_example_info"],
        model_uuid=described["model_uuid"],
        utc_time_created=described["utc_time_created"],
    )
    flavor = described["flavors"]["python_function"]
    model.add_flavor("python_function", **flavor)
    model.save(folder / "theirs")
    return yaml.safe_load((folder / "theirs").read_text())


def test_it_has_what_mlflow_would_write_and_mlflow_reads_it(tmp_path):
    from mlflow.models import Model

    write_mlmodel(tmp_path, DESCRIPTION, "0" * 32)
    described = yaml.safe_load((tmp_path / MLMODEL).read_text())
    assert described == as_mlflow_writes_it(tmp_path, described)
    set_model_id(tmp_path / MLMODEL, "m-1")
    assert yaml.safe_load((tmp_path / MLMODEL).read_text()) == {**described, "model_id": "m-1"}
    read = Model.load(tmp_path / MLMODEL)
    assert read.model_id == "m-1"
    assert read.get_input_schema().input_names() == list(DESCRIPTION.inputs)
