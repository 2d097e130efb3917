"""A password, wherever it is typed, is in no file, no line and no store afterwards."""

import io
import shutil
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from benchmarks.servers import MlflowServer, free_port
from hydra._internal.utils import create_config_search_path
from hydra.core.plugins import Plugins
from hydra.core.utils import setup_globals
from hydra.errors import HydraException
from hydra.types import RunMode
from hypothesis import assume, given
from hypothesis import strategies as st
from omegaconf.errors import OmegaConfBaseException
from tests.conftest import ROOT
from tests.records import STOPPED

from micrograde.config import mlflow_variables
from micrograde.config.commands import CompareConfig, PredictConfig
from micrograde.config.flags import check_arguments
from micrograde.config.guard import GuardedLoader
from micrograde.config.hydra_messages import hydra_message
from micrograde.config.locations import store_location
from micrograde.config.parsing import (
    parse_command,
    parse_sweep_config,
    parse_train_config,
)
from micrograde.core.errors import InputError
from micrograde.core.redaction import hide_passwords, without_password
from micrograde.runs.live_run import RunRequest
from micrograde.store import server_store
from micrograde.store.settings import database_address
from micrograde.sweeps.composing import resolved
from micrograde.sweeps.options import check_alone
from micrograde.tracking.launches import begin_launch

SECRET = "swordfish"
WRITTEN = [f"me:{SECRET}@", f"me:p%40{SECRET}%2Fw%3Ard@", f"{SECRET}@", f"me:p@{SECRET}:@"]
SWEEP = ("-m", "seed=0,1")
WORDS = (
    "data=iris", "training.num_epochs=1", f"run.name='http://me:{SECRET}@x'", f"run.note='at http://{SECRET}@x'",
    f"run.tags={{place: 'http://me:{SECRET}@x', password: {SECRET}, api_token: {SECRET}}}",
)  # fmt: skip


@pytest.fixture(scope="module")
def server(empty_store, tmp_path_factory):
    """A real `mlflow server`, which takes any user and password; its folder and port."""
    store = tmp_path_factory.mktemp("server")
    shutil.copy(empty_store / "mlruns" / "mlflow.db", store)
    with MlflowServer(store) as server:
        yield store, server.port


def check(user, done, *folders):
    assert SECRET not in done.stdout + done.stderr
    for folder in (user.home, user.folder, *folders):
        for path in folder.rglob("*"):
            assert SECRET not in str(path)
            assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


@pytest.mark.slow
@pytest.mark.parametrize("what", [(), SWEEP, (*SWEEP, "hydra/launcher=basic")])
def test_recorded_by_a_server(user, server, what):
    store, port = server
    where = ("tracking=server", f"tracking.uri=http://{WRITTEN[1]}127.0.0.1:{port}")
    check(user, user.run("train", *what, "data=iris", "training.num_epochs=1", *where), store)
    check(user, user.run("compare", *(["sweep=latest"] if what else []), *where), store)


@pytest.mark.slow
@pytest.mark.parametrize("part", WRITTEN[2:])
def test_a_server_that_is_not_there(user, part):
    port = free_port()
    where = ("tracking=server", f"tracking.uri=http://{part}127.0.0.1:{port}")
    done = user.run("train", *WORDS, *where, status=None)
    assert f"//***@127.0.0.1:{port}" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    check(user, done)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pipeline", "what"), [("train", SWEEP), ("compare", ()), ("replay", ("run_id=12345678",))]
)
def test_a_server_that_cannot_be_asked(user, pipeline, what):
    where = ("tracking=server", f"tracking.uri=http://me:{SECRET}@127.0.0.1:{free_port()}")
    done = user.run(pipeline, *what, *where, status=None)
    assert done.returncode in (1, 2)
    assert done.stderr.count("\n") == 1
    check(user, done)


@pytest.mark.slow
@pytest.mark.parametrize("what", [(), SWEEP])
def test_a_server_s_database_that_is_away(user, server, what):
    """A run is trained and kept, as with a server that is away; a sweep looks for earlier runs before it begins."""
    store, port = server
    database = f"postgresql://me:{SECRET}@127.0.0.1:{free_port()}/mlflow"
    where = ("tracking=server", f"tracking.uri=http://127.0.0.1:{port}", f"tracking.database={database}")
    done = user.run("train", *what, *WORDS, *where, status=None)
    if what:
        assert done.returncode
        assert done.stderr.count("\n") == 1
        assert "cannot be read as an MLflow store" in done.stderr
    else:
        assert "send it with: micrograde sync" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    check(user, done, store)


@pytest.mark.slow
@pytest.mark.parametrize(
    "address",
    [
        f"http://me:{SECRET}@host[",
        f"http://me:{SECRET}@host]x",
        f"'http://me:{SECRET}@host",
        f"http://me:{SECRET},x@host",
        f"http://me:{SECRET}" + "{@host",
        f"http://me:{SECRET}" + "$" + "{@host",
        f"ftp://me:{SECRET}@host",
        f"me:{SECRET}@host",
        f"//me:{SECRET}@host",
        f"http:/me:{SECRET}@host",
        f"http://me:p@ss/w:{SECRET}@host",
        f"http://me:p#{SECRET}@host",
        f"http://me:p?{SECRET}@host",
        f"http://me:{SECRET}@host:port",
        f"'http://me:p {SECRET}@host'",
        f"http://me:{SECRET}",
        f"[http://me:{SECRET}@host]",
        "{a:" + SECRET + "}",
    ],
)
def test_an_address_that_is_wrong(user, address):
    before = user.files()
    done = user.run("train", "tracking=server", f"tracking.uri={address}", status=2)
    assert done.stderr.count("\n") == 1
    check(user, done)
    assert user.files() == before


# --- wherever it is typed -------------------------------------------------------------------------

FORMS = [
    f"http://me:{SECRET}@x",
    f"http://{SECRET}@x",
    f"https://me:{SECRET}@x/t.csv",
    f"postgresql+psycopg://me:{SECRET}@h/db",
    f"http:/me:{SECRET}@x",
    f"http:me:{SECRET}@x",
    f"//me:{SECRET}@x",
    f"http://me:p@{SECRET}@x",
    f"http://me%3A{SECRET}%40x",
    f"http%3A%2F%2Fme%3A{SECRET}%40x",
    f"https://x/t.csv?token={SECRET}",
    f"https://x/t.csv?X-Amz-Signature={SECRET}&y=1",
]
TYPED = [
    "tracking={}", "+tracking={}", "tracking@here={}", "data={}", "optimizer={}", "+experiment={}", "{}",
    "{}=1", "+{}=1", "~{}", "~data={}", "tracking.uri=[{}]", "tracking.uri={{a:'{}'}}", "tracking.artifacts='{}'",
    "tracking.artifacts=s3:'{}'", "tracking.database='{}'", "tracking.database=['{}']", "tracking.database='{}',b", "+foo='{}'", "foo='{}'", "+foo.bar='{}'", "foo='{}", 'foo="{}', "foo=[{}",
    "seed='{}'", "seed=[1,'{}']", "experiment_name='{}'", "experiment_name='{}',b", "optimizer.learning_rate='{}'",
    "data.path='{}'", "data.path='{}',b", "model.hidden_size=['{}',2]", "run.name=['{}']", "run.name='{}/\t'",
    "run.tags='{}'", "run.tags={{'{}': 1}}", "run.tags={{mlflow.x: '{}'}}", "run.tags={{a: ['{}']}}",
    "run.note=['{}']", "sweep.name='{}'", "sweep.metric='{}'", "sweep.members='{}'", "sweep.parent_run_id='{}'",
    "training.resume='{}'", "hydra.run.dir='{}'", "hydra.sweep.dir='{}'", "hydra.output_subdir='{}'",
    "hydra/launcher={}", "hydra/sweeper={}", "+hydra.job.env_set.A='{}'", "hydra.searchpath=['{}']",
    "hydra.searchpath='{}'", "hydra.mode='{}'", "+hydra.callbacks.x._target_='{}'", "recipe_version='{}'",
    "tracking.register='{}'", "data.name='{}'", "tracking.name='{}'", "seed=${{oc.env:'{}'}}", "seed=${{{}}}",
    "run_id='{}'", "where='{}'",
]  # fmt: skip
NAMED_SO = [
    f"password={SECRET}",
    f"+password={SECRET}",
    f"tracking.password={SECRET}",
    f"+tracking.token={SECRET}",
    f"+api_key='a&{SECRET}'",
    f"MLFLOW_TRACKING_PASSWORD={SECRET}",
    f"seed={{password: {SECRET}}}",
    f"run.tags={{password: [{SECRET}]}}",
]


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """All that is said of a command line by what reads it."""
    setup_globals()
    Plugins.instance()
    loader = GuardedLoader(create_config_search_path(str(ROOT / "conf")))
    parsers: dict[str, Callable[[dict[str, Any]], object]] = {
        "train": parse_train_config,
        "compare": partial(parse_command, CompareConfig),
        "predict": partial(parse_command, PredictConfig),
    }

    def said(*overrides, command="train", mode=RunMode.RUN):
        printed = io.StringIO()
        with redirect_stdout(printed), redirect_stderr(printed):
            try:
                check_arguments(list(overrides), sweeps=command == "train")
                container = resolved(loader.load_configuration(command, list(overrides), mode))
                if command == "train":
                    check_alone(parse_sweep_config(container))
                parsers[command](container)
            except (HydraException, OmegaConfBaseException) as error:
                return hydra_message(error, command, overrides) + printed.getvalue()
            except InputError as error:
                return str(error) + printed.getvalue()
        return printed.getvalue()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MICROGRADE_HOME", str(tmp_path_factory.mktemp("home")))
        yield said


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_recognised(form):
    for typed in ("{}", "tracking={}", "foo=['{}',", '{{"a":"{}"}}', "see {} and a@b"):
        assert SECRET not in without_password(typed.format(form))
        assert SECRET not in hide_passwords(typed.format(form))


@pytest.mark.parametrize("typed", TYPED)
def test_no_line_repeats_it_whatever_key_it_is_typed_for(said, typed):
    form = FORMS[0] if len(typed) % 3 else FORMS[6]
    assert SECRET not in said(typed.format(form))


@pytest.mark.parametrize("typed", NAMED_SO)
def test_nor_what_is_called_like_one(said, typed):
    assert SECRET not in said(typed)


@pytest.mark.parametrize("typed", [TYPED[0], TYPED[12], *TYPED[20:24], "where='{}'"])
def test_nor_of_a_sweep_or_another_command(said, typed):
    given = typed.format(FORMS[0])
    assert SECRET not in said("data=csv", "data.target=x", given, mode=RunMode.MULTIRUN)
    assert SECRET not in said(given, command="compare")
    assert SECRET not in said(given, command="predict")


@pytest.mark.parametrize("variable", ["MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"])
@pytest.mark.parametrize("form", [FORMS[0], FORMS[3], FORMS[5], FORMS[9]])
def test_nor_one_in_a_variable(said, monkeypatch, variable, form):
    monkeypatch.setattr(mlflow_variables, "_said", set())
    monkeypatch.setenv(variable, form)
    assert SECRET not in said("data=iris")


DATABASES = [
    f"postgresql://me:{SECRET}@h/db",
    f"postgresql+psycopg2://me:{SECRET}:%40&=%2f@h1:5432,[::1]:5433/db?sslmode=require",
    f"postgresql://%2Frun%2Fpostgresql/db?user=me&password={SECRET}",
    f"postgresql://h/db?service=s&sslpassword={SECRET}&sslmode=require",
    f"postgresql://h/db?scram_client_key={SECRET}&scram_server_key={SECRET}&user=me",
    f"postgresql://me:{SECRET}%2F{SECRET}%40@h/db",
    f"postgresql://{SECRET}@h/db",
]
WRONG_DATABASES = [
    "http://me:{}@h/db", "me:{}@h/db", "postgresql:/me:{}@h/db", "postgresql://me:p@{}@h/db",
    "postgresql://me:p@ss/w:{}@h/db", "postgresql://me:p#{}@h/db", "postgresql://me:p?{}@h/db",
    "postgresql://me:p%{}@h/db", "postgresql://me:p%00{}@h/db", "postgresql://me:{}@h:port/db", "postgresql://me:{}",
    "postgresql://me:{}@[h/db", "postgresql://me:p[{}@h/db", "postgresql://me:p {}@h/db", "postgresql://h/db?{}",
    "postgresql://h/db?pass%77ord={}", "postgresql:///db?password={}", "postgres://me:{}@h/db",
    "postgresql://h/db?password=%{}", "postgresql://h/db?password=p@{}", "postgresql://h/p@{}",
]  # fmt: skip


@pytest.mark.parametrize("address", DATABASES)
def test_an_address_of_a_database_is_taken_and_its_password_is_not_shown(said, address):
    assert database_address(address) == address
    assert SECRET not in without_password(f"see {address}: is away")
    assert SECRET not in said("tracking=server", f"tracking.database='{address}'", "seed=x")


@pytest.mark.parametrize("address", WRONG_DATABASES)
def test_an_address_of_a_database_that_can_be_misread_is_refused_without_it(said, address):
    """PostgreSQL's library would repeat a part of the password as the name of a host, or a port."""
    line = said("tracking=server", f"tracking.database='{address.format(SECRET)}'")
    assert "tracking.database" in line
    assert "in a password / is %2F" in line
    assert SECRET not in line


@pytest.mark.parametrize("address", DATABASES)
def test_a_database_that_cannot_be_read_does_not_show_its_password(address):
    from micrograde.store.location import PSYCOPG, server_store
    from micrograde.store.readers import store_of

    here = address.replace("@h1:5432,[::1]:5433/", "@h/").replace("@h/", f"@127.0.0.1:{free_port()}/")
    here = here.replace("//h/", f"//127.0.0.1:{free_port()}/").replace("sslmode=require", "sslmode=disable")
    where = server_store("http://x", Path("/nowhere"), None, here)
    assert where.read_at.startswith(PSYCOPG)
    with pytest.raises(InputError) as error:
        store_of(where.read_at).read_sweeps(where.read_at)
    assert SECRET not in str(error.value)
    assert SECRET not in repr(where)


def test_nor_an_object_that_is_shown():
    from micrograde.store.backends.server import ServerTracking

    address = f"http://me:{SECRET}@x"
    tracking = ServerTracking(uri=address, database=DATABASES[0])
    for shown in (
        tracking,
        store_location(tracking),
        InputError(address),
        RunRequest(parse_train_config(STOPPED), address),
    ):
        assert SECRET not in repr(shown)


@pytest.mark.slow
@pytest.mark.parametrize(
    "what",
    [
        (),
        ("-m", "seed=0,1", f"sweep.name='http://me:{SECRET}@x'", f"sweep.tags={{token: {SECRET}}}"),
        (
            *("-m", "seed=0,1", "hydra/sweeper=basic", "hydra/launcher=basic", "hydra/hydra_logging=default"),
            f"sweep.note='http://{SECRET}@x'",
        ),
    ],
    ids=["run", "sweep", "basic"],
)
def test_a_users_own_words_are_recorded_without_it(user, what):
    done = user.run("train", *WORDS, *what)
    user.wait_until_written()
    check(user, done)
    (run, *_) = [run for run in user.runs() if "place" in run.data.tags]
    assert run.data.tags["place"] == "http://***@x"
    assert run.data.tags["password"] == "***"
    check(user, user.run("compare", *(["sweep=latest"] if what else [])))
    check(user, user.run("train", *WORDS, "--cfg", "job"))


# --- the rule -------------------------------------------------------------------------------------

# All that may stand before a host: what need not be percent-encoded there, and what people type all the same.
USERS = st.text(
    st.characters(exclude_categories=("Z", "C"), exclude_characters="/\\"), min_size=1, max_size=30
) | st.builds("{}:{}".format, st.text("abc", max_size=3), st.text("xyz:@/?#%&=,;'\"[]{}()!$*+~", min_size=1))
SCHEMES = st.sampled_from(
    ["http://", "https://", "HTTP://", "ftp://", "postgresql+psycopg://", "s3://", "http:/"]
)
AROUND = st.sampled_from(["", "see ", "tracking.uri=", "'", "tracking=", "[", "x=[a,", "kept in (", "\n"])
OTHERS = st.text(st.characters(exclude_categories=["C"], exclude_characters="@%=:"), max_size=60)


@given(AROUND, SCHEMES, USERS, OTHERS)
def test_wherever_it_stands_before_a_host_it_is_nowhere_in_what_is_left(before, scheme, user, after):
    assume(not user.startswith("/"))
    hidden = without_password(f"{before}{scheme}{user}@host/path {after}")
    assert hidden == f"{before}{scheme}***@host/path {after}"


@given(
    st.text(st.characters(exclude_characters="@%=:")) | st.sampled_from(["a@b", "me@work: x", "100%", "a=b"])
)
def test_other_text_stays_as_it_is(text):
    assert without_password(text) == text
    assert hide_passwords(text) == text


@given(st.text(max_size=200), SCHEMES, USERS)
def test_what_has_been_hidden_stays_so(text, scheme, user):
    once = without_password(f"{text} {scheme}{user}@h")
    assert without_password(once) == once


@pytest.mark.parametrize(
    "text", ["://" * 10**5, "a@" * 10**5, "token" * 10**5, "%3A%2F%2F" * 10**5, "a.b-" * 10**5]
)
def test_long_texts_of_others_take_no_time(text):
    start = time.process_time()
    without_password(f"{text}@")
    assert time.process_time() - start < 5


def test_the_password_is_taken_out_whole():
    for part in WRITTEN:
        for scheme in ("http", "https", "postgresql+psycopg"):
            hidden = without_password(f"see {scheme}://{part}host:5000/x and a@b")
            assert hidden == f"see {scheme}://***@host:5000/x and a@b"
    for text in ("file:///home/me@work/a.csv", "sqlite:////home/me@work/mlflow.db", "a@b", "http://host/x"):
        assert without_password(text) == text


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["token", "user", "credentials", "netrc", "none"])
def test_what_a_launch_has_left_is_sent_with_credentials_to_servers_that_are_named_alone(user, kind):
    """Its folder may have come from somebody else, who wrote the address into it."""
    home = user.folder / "of the user"
    home.mkdir()
    files = {
        "credentials": (".mlflow/credentials", f"[mlflow]\nmlflow_tracking_password = {SECRET}\n"),
        "netrc": (".netrc", f"default login me password {SECRET}\n"),
    }
    variables = {"token": {"MLFLOW_TRACKING_TOKEN": SECRET}, "user": {"MLFLOW_TRACKING_USERNAME": SECRET}}
    user.environment |= {"HOME": str(home), **variables.get(kind, {})}
    if kind in files:
        path, text = files[kind]
        (home / path).parent.mkdir(exist_ok=True)
        (home / path).write_text(text)
        (home / path).chmod(0o600)
    address = f"http://127.0.0.1:{free_port()}"
    folder, hold = begin_launch(server_store(address, user.home), "train.py")
    hold.release()
    said = user.run("sync", status=None).stdout
    wanted = f"kept {folder}: credentials go only to a server that you name; give it: "
    if kind == "none":
        assert said == f"sent {folder}: it had no run\n"
    else:
        assert said == f"{wanted}tracking=server tracking.uri={address}\n"
        given = said.removeprefix(wanted).split()
        assert user.run("sync", *given).stdout == f"sent {folder}: it had no run\n"
