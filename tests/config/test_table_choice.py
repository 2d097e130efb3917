"""A path or a target alone chooses a data set that reads tables, as if it had been typed."""

import shlex
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hydra._internal.utils import create_config_search_path
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf

from micrograde.api.given_data import GivenData
from micrograde.config.guard import GuardedLoader
from micrograde.config.parsing import parse_train_config
from micrograde.config.schema import as_params, config_digest, to_container
from micrograde.config.table_choice import with_table
from micrograde.core.errors import InputError
from micrograde.core.overrides import typed_mapping, typed_names, typed_text
from micrograde.sweeps.composing import Composer, resolved

ROOT = Path(__file__).parents[2]
TABLE = pd.DataFrame({"leaf": [1.5, 2.5, 3.5] * 4, "kind": ["a", "b"] * 6, "id": range(12)})


@pytest.fixture
def loader(monkeypatch, tmp_path):
    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    monkeypatch.setattr(ConfigStore.instance(), "repo", dict(ConfigStore.instance().repo))
    monkeypatch.chdir(tmp_path)
    TABLE.to_csv("t.csv", index=False)
    TABLE.to_parquet("t.pq.csv")  # what a file is shows in its content
    search_path = create_config_search_path(str(ROOT / "conf"))
    search_path.prepend("mine", f"file://{tmp_path}")
    return GuardedLoader(search_path)


def recipe(loader, *overrides):
    return parse_train_config(resolved(loader.load_configuration("train", list(overrides), RunMode.RUN)))


@pytest.mark.parametrize(("path", "kind"), [("t.csv", "csv"), ("t.pq.csv", "parquet"), ("no.csv", "csv")])
def test_the_recipe_is_that_of_the_data_set_that_is_chosen(loader, path, kind):
    typed = (f"data.path={path}", "data.target=kind", "seed=3")
    found = recipe(loader, *typed)
    assert found.data.name == kind
    assert config_digest(found) == config_digest(recipe(loader, f"data={kind}", *typed))


def test_a_sweep_and_its_jobs_have_the_data_set_that_is_chosen(loader):
    typed = ["data.path=t.csv", "data.target=kind,leaf", "seed=0,1"]
    master = loader.load_configuration("train", typed, RunMode.MULTIRUN)
    assert list(master.hydra.overrides.task) == ["data=csv", *typed]
    job = Composer(loader, master).compose(["data=csv", "data.path=t.csv", "data.target=leaf", "seed=1"])
    assert (job["data"]["name"], job["data"]["target"]) == ("csv", "leaf")
    paths = ["data.path=t.csv,t.pq.csv", "data.target=kind"]
    assert loader.load_configuration("train", paths, RunMode.MULTIRUN).data.name == "csv"


def test_what_was_chosen_otherwise_stays(loader, tmp_path):
    assert with_table(["data=iris", "data.path=t.csv"]) is None
    assert with_table(["data.seed=3", "seed=1"]) is None
    with pytest.raises(HydraException, match=r"Could not override 'data\.path'"):
        loader.load_configuration("train", ["data=iris", "data.path=t.csv"], RunMode.RUN)
    (tmp_path / "experiment").mkdir()
    preset = "# @package _global_\n# Mine.\ndefaults:\n  - override /data: npz\n"
    (tmp_path / "experiment" / "mine.yaml").write_text(preset)
    config = loader.load_configuration("train", ["experiment=mine", "data.path=x.npz"], RunMode.RUN)
    assert (config.data.name, config.data.path) == ("npz", "x.npz")


def test_other_mistakes_are_told_as_ever(loader):
    with pytest.raises(HydraException, match="lunch"):
        loader.load_configuration("train", ["data.path=t.csv", "lunch=1"], RunMode.RUN)
    with pytest.raises(HydraException, match=r"data\.path"):
        loader.load_configuration("compare", ["data.path=t.csv"], RunMode.RUN)


def test_without_a_target_one_line_tells_the_columns_and_what_each_would_be(loader):
    with pytest.raises(InputError) as error:
        recipe(loader, "data.path=t.csv")
    assert str(error.value) == (
        "data.target: is missing; it names the column with what is to be learned, classes or numbers, "
        "which could be 'kind' (2 classes), 'leaf' (numbers); the others are 'id' (identifier); micrograde describe data.path=t.csv shows more"
    )
    for typed in (["data.path=no.csv"], ["data.path=t.csv", "data.drop=[x]"]):
        with pytest.raises(InputError, match=r"^data.target: is missing; it needs a value$"):
            recipe(loader, *typed)


def test_describe_has_all_keys_of_the_table_that_train_has(loader):
    described = OmegaConf.to_container(loader.load_configuration("describe", [], RunMode.RUN).data)
    trained = OmegaConf.to_container(loader.load_configuration("train", ["data=csv"], RunMode.RUN).data)
    assert isinstance(described, dict)
    assert isinstance(trained, dict)
    assert {**described, "target": None} == {**trained, "target": None}


@pytest.mark.parametrize(
    "typed",
    [
        "data.roles={größe (cm): category, zip: text}",
        'data.roles={"größe (cm)": category, zip: text}',
        'data.roles=["größe (cm): category", zip: text]',
        "data.roles=[größe (cm): category,zip: text]",
    ],
)
def test_roles_of_columns_are_typed_with_any_name(loader, typed):
    found = recipe(loader, "data.path=t.csv", "data.target=kind", typed)
    assert found.data.options().rules.roles == {"größe (cm)": "category", "zip": "text"}
    other = recipe(
        loader, "data.path=t.csv", "data.target=kind", "data.roles=[zip: text, größe (cm): category]"
    )
    assert config_digest(found) == config_digest(other)


def test_roles_are_typed_for_hydra_and_told_for_a_shell(loader):
    names = ("zip", "post code", "größe", "n,m", "a: b", 'it\'s "q"', "3", "null", "x{y}")
    for name in names:
        told = (
            typed_mapping("data.roles", {name: "category"}),
            typed_names("data.drop", *names),
            typed_text("data.group", name),
        )
        found = recipe(
            loader, "data=csv", "data.target=kind", "data.path=t.csv", *shlex.split(" ".join(told))
        ).data
        assert (found.roles, found.drop, found.group) == (((name, "category"),), names, name)
    assert typed_mapping("data.roles", {"zip": "category"}) == "'data.roles={zip: category}'"
    assert typed_text("data.group", "zip") == "data.group=zip"


@pytest.mark.parametrize("typed", ["[leaf,id]", '["leaf",id]', "[leaf, id]"])
def test_several_targets_are_a_list_and_a_list_of_one_is_its_name(loader, typed):
    found = recipe(loader, "data.path=t.csv", f"data.target={typed}")
    assert found.data.target_columns == ("leaf", "id")
    assert to_container(found)["data"]["target"] == ["leaf", "id"]
    assert as_params(found)["data.target"] == '["leaf", "id"]'
    assert config_digest(parse_train_config(to_container(found))) == config_digest(found)
    one, listed = (recipe(loader, "data.path=t.csv", f"data.target={name}") for name in ("leaf", "[leaf]"))
    assert (listed.data.target, as_params(listed)["data.target"]) == ("leaf", "leaf")
    assert config_digest(one) == config_digest(listed) != config_digest(found)
    other = recipe(loader, "data.path=t.csv", "data.target=[id,leaf]")
    assert config_digest(other) != config_digest(found)  # its outputs stand in another order


def test_several_targets_are_told_as_they_are_typed(loader):
    names = ("2024", "post code", "größe", "n,m", "a: b", 'it\'s "q"', "null", "x{y}")
    (typed,) = shlex.split(typed_names("data.target", *names))
    assert recipe(loader, "data.path=t.csv", typed).data.target_columns == names
    of_python = GivenData(pa.table({}), names, "0" * 64).overrides
    assert recipe(loader, *of_python).data.target_columns == names


def test_a_sweep_over_targets_may_have_lists_of_them(loader):
    typed = ["data.path=t.csv", "data.target=[leaf,id],[leaf]"]
    master = loader.load_configuration("train", typed, RunMode.MULTIRUN)
    for job, columns in (("[leaf,id]", ("leaf", "id")), ("[leaf]", ("leaf",))):
        composed = Composer(loader, master).compose(["data=csv", typed[0], f"data.target={job}"])
        assert parse_train_config(composed).data.target_columns == columns


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ("[]", "data.target=[]: should be a name, or a list of several"),
        ("[leaf,leaf]", 'data.target=["leaf", "leaf"]: should name \'leaf\' once'),
        ("[leaf,[id]]", "data.target="),
        ("[leaf,null]", "data.target="),
        ("{leaf: id}", "data.target="),
        ("''", "data.target="),
    ],
)
def test_targets_that_are_no_names_are_refused_in_one_line(loader, wrong, line):
    with pytest.raises(InputError) as caught:
        recipe(loader, "data.path=t.csv", f"data.target={wrong}")
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_roles_of_a_file_are_a_mapping_or_a_list(loader, tmp_path):
    (tmp_path / "experiment").mkdir()
    for roles in ("{größe: category}", "[größe: category]", '["größe: category"]'):
        preset = (
            f"# @package _global_\n# Mine.\ndefaults:\n  - override /data: csv\ndata:\n  roles: {roles}\n"
        )
        (tmp_path / "experiment" / "mine.yaml").write_text(preset, encoding="utf-8")
        found = recipe(loader, "experiment=mine", "data.path=t.csv", "data.target=kind")
        assert found.data.roles == (("größe", "category"),)


@pytest.mark.parametrize("wrong", ["zip", "[zip]", "3", "[a: text, a: number]"])
def test_roles_that_are_no_names_with_values_are_refused_in_one_line(loader, wrong):
    with pytest.raises(
        InputError, match=r"^data\.roles=.*: should (be names with a value each|name 'a' once)"
    ):
        recipe(loader, "data.path=t.csv", "data.target=kind", f"data.roles={wrong}")
