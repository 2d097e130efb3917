"""Whatever Hydra and OmegaConf find wrong with a command line is one line, by their own real errors."""

import pytest
from hydra._internal.utils import create_config_search_path
from hydra.core.plugins import Plugins
from hydra.core.utils import setup_globals
from hydra.errors import HydraException, OverrideParseException
from hydra.types import RunMode
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf.errors import OmegaConfBaseException
from tests.conftest import ROOT

from micrograde.config.guard import GuardedLoader
from micrograde.config.hydra_messages import hydra_message
from micrograde.core.errors import InputError
from micrograde.sweeps.composing import resolved


@pytest.fixture(scope="module")
def composing(tmp_path_factory):
    """What is said of a command line, given as overrides; nothing if it composes."""
    setup_globals()
    Plugins.instance()
    loader = GuardedLoader(create_config_search_path(str(ROOT / "conf")))

    def composing(*overrides, config="train", mode=RunMode.RUN):
        try:
            resolved(loader.load_configuration(config, list(overrides), mode))
        except (HydraException, OmegaConfBaseException) as error:
            return hydra_message(error, config, overrides)
        except InputError as error:  # what the loader says itself
            return str(error)
        return ""

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MICROGRADE_HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("NOT_SET", raising=False)
        yield composing


LINES = [
    # keys
    (["optimizer.lerning_rate=1"], "optimizer.lerning_rate: there is no such key; did you mean optimizer.learning_rate"),
    (["sed=1"], "sed: there is no such key; did you mean seed"),
    (["~sed"], "sed: there is no such key; did you mean seed"),
    (["loss.name=huber"], "loss.name: nothing of loss is chosen; type loss=huber"),
    (["optimizer=adam", "optimizer.momentum=0.9"], "optimizer.momentum: is no key of the optimizer that is chosen"),
    (["data.images=trees"], "data.images: is no key of the data that is chosen; add data=idx"),
    (["data.path=trees.csv", "data.taget=kind"], "data.taget: there is no such key; did you mean data.target or "),
    (["data=moons", "data.path=a.parquet"], "data.path: is no key of the data that is chosen; write data=parquet in place of data=moons"),
    (["epochs=3"], "epochs: there is no such key; did you mean training.num_epochs or "),
    (["run_id=3"], "run_id: there is no such key here; it is one of replay and predict and export"),
    (["~optimizer.learning_rate"], "~optimizer.learning_rate: cannot be removed, because every key has a value; "),
    (["~seed=0"], "~seed=0: cannot be removed, because every key has a value; "),
    (["~data"], "~data: cannot be removed, because every key has a value; "),
    (["+seed=1"], "+seed: is there already; write seed=... without +"),
    (["+optimizer.momentum=1"], "+optimizer.momentum: is there already; write optimizer.momentum=... without +"),
    # choices
    (["data=lions"], "data=lions: there is no such choice; there are blobs breast_cancer circles "),
    (["optimizer=lion"], "optimizer=lion: there is no such choice; there are adam adamw rmsprop sgd"),
    (["+experiment=none"], "experiment=none: there is no such choice; there are notebook"),
    (["hydra/launcher=rocket"], "hydra/launcher=rocket: there is no such choice; there are basic "),
    # grammar
    (["=1"], "=1: has no key; it should read key=value"),
    (["seed"], "seed: cannot be read as key=value; type seed=VALUE"),
    (["6f6497eb"], "6f6497eb: cannot be read as key=value; see --help for the keys"),
    (["a b=1"], "a b=1: cannot be read as key=value"),
    (["seed='"], "seed=': cannot be read as key=value"),
    (["seed=[1"], "seed=[1: cannot be read as key=value"),
    (["seed=1,2"], "seed=1,2: is several values; put a list into [], or add -m"),
    (["data=csv", "data.path=a.csv", "data.target=n,m"], "data.target=n,m: is several values; for a list of them type 'data.target=[n,m]', or add -m"),
    (["seed=range(3)"], "seed=range(3): is for several runs; add -m"),
    (["seed=glob(*)"], "seed=glob(*): is for several runs; add -m"),
    (["hydra.searchpath=x"], "hydra.searchpath=x: should be a list of folders"),
    (["hydra.searchpath=[file:///nothing/here]"], "hydra.searchpath: there is nothing at file:///nothing/here"),
    (["hydra.searchpath=[pkg://nothing]"], "hydra.searchpath: there is nothing at pkg://nothing"),
    # values
    (["seed=${nothing}"], "seed: Interpolation key 'nothing' not found"),
    (["seed=${oc.env:NOT_SET}"], "seed: the environment variable NOT_SET is not set"),
    (["seed=${data.seed}", "data.seed=${seed}"], "data.seed: Recursive interpolation"),
    (["seed=${oc.nothing:1}"], "seed: Unsupported interpolation type oc.nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("overrides", "line"), LINES, ids=[" ".join(overrides) for overrides, _ in LINES])
def test_the_line_names_the_key_and_what_to_do(composing, overrides, line):
    said = composing(*overrides)
    assert said.startswith(line)
    assert len(said.splitlines()) == 1


def test_several_values_of_what_is_no_part_of_a_run(composing):
    for override in ("hydra.verbose=true,false", "hydra/launcher=basic,stacked"):
        said = composing(override, mode=RunMode.MULTIRUN)
        assert said == f"{override}: is for the whole command, not for a run; give one value"


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["data=csv,parquet", "data.path=trees.csv", "data.target=kind"], ""),
        (["data=choice(csv,npz)", "data.path=trees.csv"], ""),
        (["data=csv,parquet", "data.path=a.csv,b.csv", "data.target=kind"], ""),
        (["data=moons,csv", "data.path=trees.csv"], "data.path: is no key of the data that is chosen; write data=csv in place of"),
        (["data=csv,parquet", "data.pth=trees.csv"], "data.pth: there is no such key; did you mean data.path"),
        (["data=csv,lions", "data.path=trees.csv"], ""),  # a job says it
    ],
)  # fmt: skip
def test_what_only_the_choices_have_that_are_swept(composing, overrides, line):
    assert composing(*overrides, mode=RunMode.MULTIRUN).startswith(line)
    assert bool(composing(*overrides, mode=RunMode.MULTIRUN)) is bool(line)


def test_text_is_what_was_typed_and_null_is_null(composing):
    for override in (
        "experiment_name=2024",
        "run.name=1e5",
        "training.resume=602036e0",
        "training.resume=null",
    ):
        assert composing(override) == ""
    assert composing("run_id=602036e0", config="replay") == ""


def test_the_config_itself_is_named(composing):
    assert composing(config="nonsense") == "--config-name nonsense: there is no such config"


def test_what_comes_with_an_extra_says_how_to_get_it():
    # As Hydra says it where the plugin is not installed.
    error = HydraException(
        "Could not find 'hydra/sweeper/optuna'\n\nAvailable options in 'hydra/sweeper':\n\tbasic\n\tstacked\nConfig search path:"
    )
    assert hydra_message(error).startswith(
        "hydra/sweeper=optuna: is not installed; in the checkout, .venv/bin/pip install "
    )
    assert hydra_message(error).endswith("'.[search]'")


SECRET = "p4ss:w0rd"


@pytest.mark.parametrize(
    "override",
    ["tracking.uri='http://me:{}@host", "tracking.uri=http://me:{}@host:5000,x", "tracking.uri=range(http://me:{} x@host)", "x=http://me:{}@host'",
     "tracking.uri=[http://me:{}@host", "'tracking.uri=http://me:{}@host"],
)  # fmt: skip
def test_a_password_is_not_repeated(composing, override):
    said = composing(override.format(SECRET))
    assert said
    assert "w0rd" not in said


def test_what_was_typed_is_cut(composing):
    said = composing(f"{'x' * 100_000} y")
    assert "cannot be read as key=value" in said
    assert len(said) < 1000


@pytest.mark.parametrize("override", ["data=[a\nb]", "=\n", "sed\n=1", "seed=1\n,2", "data=a\rb", "\u2028=1"])
def test_the_end_of_a_line_that_was_typed_ends_none(composing, override):
    said = composing(override)
    assert len(said.splitlines()) == 1


pieces = st.sampled_from(
    ["seed", "data", "=", "=", "1", ",", "[", "]", "{", "}", "'", '"', "+", "~", "++", ".", " ", "${", ":", "a", "\n", "é", "(", ")", "null", "@", "/", "iris", "hydra"]
)  # fmt: skip


@given(st.lists(pieces, min_size=1, max_size=6).map("".join))
@settings(max_examples=40)
def test_whatever_is_typed_composes_or_is_refused_in_a_line(composing, override):
    said = composing(override)
    assert len(said.splitlines()) == (1 if said else 0)
    assert len(said) < 1000


def test_a_word_alone_is_told_what_it_may_be():
    error = OverrideParseException("6f6497eb", "missing EQUAL at '<EOF>'")
    assert hydra_message(error, "replay", ["6f6497eb"]).endswith("; for a run type run_id=6f6497eb")
