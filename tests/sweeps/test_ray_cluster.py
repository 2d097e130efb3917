"""The options of the Ray launcher, and what to type instead of launchers that are here no more."""

import asyncio
import pickle
import re
import socket
import sys
import time
from types import ModuleType

import pytest
from hydra.errors import HydraException
from omegaconf import OmegaConf
from tests.sweeps.test_session import CONF, composed

from micrograde.config.hydra_messages import hydra_message
from micrograde.config.parsing import parse_train_config
from micrograde.core.errors import InputError
from micrograde.runs.train import PreparedSets
from micrograde.sweeps import ray_head
from micrograde.sweeps.lost_jobs import in_short, without_log
from micrograde.sweeps.opening import _check_launcher
from micrograde.sweeps.ray_bell import Bell
from micrograde.sweeps.ray_cluster import _noticing_a_cut, travelling_rows
from micrograde.sweeps.ray_connection import LOCAL, RayOptions, _address, _check_port
from micrograde.sweeps.ray_head import Head, check_connected


def options(*dotted):
    given = OmegaConf.merge(
        OmegaConf.load(CONF / "hydra/launcher/ray.yaml"), OmegaConf.from_dotlist(list(dotted))
    )
    return RayOptions.of(OmegaConf.to_container(given))  # type: ignore[arg-type]


def test_by_default_a_job_has_a_cpu_of_a_cluster_of_this_machine():
    assert options() == RayOptions(None, 3, {}, {"num_cpus": 1})


@pytest.mark.parametrize("key", ["address", "ray.init.address"])
def test_an_address_is_taken_where_it_used_to_be_too(key):
    assert options(f"{key}=first:6379").address == "first:6379"


def test_what_was_given_to_the_plug_in_goes_to_ray():
    found = options("ray.remote.num_cpus=2", "ray.remote.max_retries=0", "ray.init.namespace=n")
    assert found == RayOptions(None, 0, {"namespace": "n"}, {"num_cpus": 2})


@pytest.mark.parametrize("good", ["auto", "local", "first.a-b:1", "ray://a:10001", "ray://a", "any://x/y"])
def test_forms_of_an_address(good):
    assert options(f"address={good}").address == good


@pytest.mark.parametrize(
    "wrong",
    ["nonsense", "10.0.0.1", "host:port", "http://127.0.0.1:8265", "host:99999", "host:0", "ray://a:b", ":1"],
)
@pytest.mark.parametrize("key", ["address", "ray.init.address", "RAY_ADDRESS"])
def test_what_is_no_address_is_refused_by_the_name_that_was_typed(key, wrong, monkeypatch):
    given = [] if key == "RAY_ADDRESS" else [f"{key}={wrong}"]
    monkeypatch.setenv("RAY_ADDRESS", wrong if key == "RAY_ADDRESS" else "first:6379")
    name = key if key == "RAY_ADDRESS" else f"hydra.launcher.{key}"
    with pytest.raises(InputError, match=f"^{re.escape(f'{name}={wrong}')}: is no address of a Ray cluster"):
        options(*given)


def test_an_address_that_is_not_used_may_be_of_any_form(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:8265")  # that of Ray's dashboard, for its jobs
    assert options("address=first:6379").address == "first:6379"


@pytest.mark.parametrize("wrong", ["num_cpus=0", "num_cpus=many", "max_retries=-1", "num_cpus=true"])
def test_numbers_are_checked(wrong):
    with pytest.raises(InputError, match=f"hydra.launcher.{wrong.partition('=')[0]}="):
        options(wrong)


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher", "trains on all cores anyway"),
        (
            "hydra_plugins.hydra_ray_launcher.ray_aws_launcher.RayAWSLauncher",
            "hydra.launcher.address=HOST:6379",
        ),
    ],
)
def test_a_plug_in_that_is_used_no_more_is_refused_with_what_to_type(target, line):
    with pytest.raises(InputError, match=line):
        _check_launcher(target)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "is not installed; "),  # a folder of data that happens to have this name
        ("raise ModuleNotFoundError(\"No module named 'ray'\", name='ray')", "is not installed; "),
        ("import nothing_of_this_name", "Ray cannot be imported (No module named 'nothing_of_this_name'); "),
        ("raise TypeError('of two versions')", "Ray cannot be imported (of two versions); "),
    ],
)
def test_a_ray_that_is_not_there_is_one_line_with_what_installs_it(content, line, tmp_path, monkeypatch):
    for name in [each for each in sys.modules if each.partition(".")[0] == "ray"]:
        monkeypatch.delitem(sys.modules, name)
    if content:
        (tmp_path / "ray").mkdir()
        (tmp_path / "ray" / "__init__.py").write_text(content)
        monkeypatch.syspath_prepend(tmp_path)
    else:
        monkeypatch.setitem(sys.modules, "ray", ModuleType("ray"))
    with pytest.raises(InputError, match=re.escape(f"hydra/launcher=ray: {line}")) as caught:
        _check_launcher("hydra_plugins.stacked.RayLauncher")
    assert str(caught.value).endswith("[ray]'")


def test_a_launcher_that_is_not_installed_any_more_is_named_with_what_to_type():
    error = HydraException(
        "Could not find 'hydra/launcher/joblib'\n\nAvailable options in 'hydra/launcher':\n\tbasic\nConfig search path:"
    )
    line = hydra_message(error, typed=["hydra/launcher=joblib"])
    assert line.startswith("hydra/launcher=joblib: is here no more; leave it out, ")


def test_the_reason_of_a_lost_job_is_one_line():
    assert in_short(ValueError("a\n\n  b")) == "a b"
    assert in_short(ValueError()) == "ValueError"
    told = "Job 1_2 (task: 0) with path p\nhas not produced any output (state: OUT_OF_MEMORY)\nError stream:\nlog"
    assert without_log(RuntimeError(told)) == "job 1_2 ended without a result (OUT_OF_MEMORY)"
    assert (
        without_log(RuntimeError("Job 1 is nowhere\nError stream produced:\n---\nlog")) == "Job 1 is nowhere"
    )


def test_a_job_that_has_not_begun_when_the_sweep_is_closed_never_does():
    async def told():
        bell = Bell()
        assert await bell.begin(0)
        await bell.tell(0, (1, 30))
        assert await bell.begun(close=False) == {0: (1, 30)}
        assert await bell.begin(1)
        assert await bell.begun(close=True) == {0: (1, 30), 1: (0, 0)}
        return [await bell.begin(at) for at in (0, 2)]  # the first again, as its node has died

    assert asyncio.run(told()) == [True, False]


def test_a_bell_ends_one_wait_and_no_other():
    async def told():
        bell = Bell()
        waits = [asyncio.ensure_future(bell.wait(name)) for name in "ab"]
        await bell.ring("b")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        found = [wait.done() for wait in waits]
        await bell.ring("a")
        await asyncio.gather(*waits)
        return found

    assert asyncio.run(told()) == [False, True]


def test_a_connection_that_ray_client_has_given_up_is_said():
    head = Head(patience=60)
    with _noticing_a_cut(head):
        check_connected()  # nothing is connected here: Ray would connect to any cluster that it finds
        pytest.fail("Ray would be asked")
    assert head.is_gone
    assert head.lost() == "the connection to Ray was lost"


def test_a_head_that_has_not_answered_for_long_is_gone():
    assert not Head(patience=60).is_gone
    gone = Head(patience=0)
    time.sleep(0.01)
    assert gone.is_gone
    assert gone.lost() == "Ray's head has not answered for 0 s"


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ray://127.0.0.1:{}", "localhost:{}"])
def test_an_address_at_which_nobody_listens_is_refused_at_once(form):
    with socket.create_server(("127.0.0.1", 0)) as here:
        port = here.getsockname()[1]
        _check_port(form.format(port))
    with pytest.raises(ConnectionRefusedError):
        _check_port(form.format(port))


@pytest.mark.parametrize("address", ["auto", "local", "this machine", "nonsense"])
def test_what_is_no_address_is_left_to_ray(address):
    _check_port(address)


def test_a_cluster_of_this_machine_is_found_and_one_that_was_killed_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    assert _address("") == LOCAL
    assert _address("auto") == "auto"  # Ray looks for a process
    note = tmp_path / "ray" / "ray_current_cluster"
    note.parent.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as here:
        running = f"127.0.0.1:{here.getsockname()[1]}"
        note.write_text(running)
        assert [_address(given) for given in ("", "auto", "local")] == [running, running, LOCAL]
    assert _address("") == LOCAL
    with pytest.raises(ConnectionRefusedError):
        _address("auto")


def test_rows_that_several_runs_share_travel_and_so_do_all_of_the_users_tables(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("a,label\n" + "".join(f"{row % 7},{row % 2}\n" for row in range(40)))

    def config(**data):
        return parse_train_config({**composed(), "data": {"samples": 60, **data}})

    shared, alone = {"name": "moons", "seed": 1}, {"name": "moons", "seed": 2}
    users = {"name": "csv", "path": str(table), "target": "label"}
    configs = [
        config(**shared),
        config(**alone),
        config(**shared),
        parse_train_config({**composed(), "data": users}),
    ]
    prepared = PreparedSets()
    rows = travelling_rows(prepared, configs)
    assert list(rows) == [prepared.rows_key(configs[0]), prepared.rows_key(configs[3])]
    there = PreparedSets()
    for key, each in rows.items():
        there.take_rows(key, pickle.loads(pickle.dumps(each)))  # noqa: S301 (as Ray does)
    table.unlink()
    for each in (configs[0], configs[3]):
        assert (there.of(each).training.features == prepared.of(each).training.features).all()
        assert there.of(each).dataset.digest == prepared.of(each).dataset.digest


@pytest.mark.parametrize("after", ["the same", "another", ""])
def test_a_head_that_was_started_again_is_gone_unless_it_is_the_same(monkeypatch, after):
    found = ["the same"]
    monkeypatch.setattr(ray_head, "_cluster_at", lambda _: found[0])
    head = Head()
    head._cluster = "the same"
    with socket.create_server(("127.0.0.1", 0)) as here:
        port = here.getsockname()
        head._look(port)
    with pytest.raises(ConnectionRefusedError):
        head._look(port)
    assert not head.is_gone  # it may come back
    found[0] = after
    with socket.create_server(port):
        if after == "the same":
            head._look(port)
        else:
            with pytest.raises(ConnectionError):
                head._look(port)
    assert head.is_gone == (after != "the same")
    assert ("started again" in head.lost()) == head.is_gone
