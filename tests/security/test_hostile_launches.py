"""What lies in ``mlruns/launches`` and ``mlruns/claims`` may have been put there by somebody else."""

import json
import time

import pytest

from micrograde.store import local_store, tags
from micrograde.tracking import Launch, ProcessIdentity, recover, recovery
from micrograde.tracking.claim import Claim, ClaimedError, claim
from micrograde.tracking.events import from_json_line
from micrograde.tracking.sending import Kept

NUMBERS = [-5, 0, True, 2**31, 2**70, "7", "-5", 1.5, None, [], "\x1b[31m"]
TEXTS = ["-5", "0", "2147483648", "9" * 5000, " 7", "7\n", "٧", "1_0", "", "\x1b[31m7"]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_launch_of_no_process_is_none(tmp_path, number):
    process = {"host": "here", "namespace": "n", "process_id": number, "started": 1.0}
    (tmp_path / "launch.json").write_text(
        json.dumps({"server": None, "script": "train.py", "process": process})
    )
    assert Launch.read(tmp_path) is None


@pytest.mark.parametrize("number", TEXTS)
def test_tags_of_no_process_are_none(number):
    own = ProcessIdentity.own().as_tags()
    assert ProcessIdentity.from_tags({**own, tags.PROCESS_ID: number}) is None


@pytest.mark.parametrize("started", ["-1", "nan", "inf", "1e30", "9" * 400, ""])
def test_tags_of_no_start_are_none(started):
    own = ProcessIdentity.own().as_tags()
    assert ProcessIdentity.from_tags({**own, tags.PROCESS_START: started}) is None


@pytest.mark.parametrize(
    "content",
    [
        "", "[]", "null", "[" * 100_000, '{"path": 5, "token": "a"}', '{"path": "a/..", "token": "a"}',
        '{"path": "../../x", "token": "../a"}', '{"path": "a\\u0000b", "token": "a"}', '{"path": "one"}',
        json.dumps({"path": "x" * 4000, "token": "a"}), " " * 2**20 + '{"path": "one", "token": "a"}',
    ],
)  # fmt: skip
def test_a_claim_that_cannot_be_read_is_none(tmp_path, content):
    folder = tmp_path / "launches" / "one"
    folder.mkdir(parents=True)
    (folder / "claim.json").write_text(content)
    assert Claim.of(folder) is None
    path = tmp_path / "claims" / "mine"
    with claim(path, tmp_path / "launches", lambda _: None) as mine, mine.writing() as is_ours:
        assert is_ours


@pytest.mark.parametrize("process", [*NUMBERS, "x" * 10**6])
def test_a_claim_of_no_process_names_none(tmp_path, process):
    path = tmp_path / "claims" / "one"
    with claim(path, tmp_path / "launches", lambda _: None):
        path.with_suffix(".owner").write_text(json.dumps({"token": "a", "process": process}))
        with pytest.raises(ClaimedError, match=r"^\?$"), claim(path, tmp_path / "launches", lambda _: None):
            pass


@pytest.mark.parametrize(
    "changed",
    [
        {"run": "../../x"}, {"run": -1}, {"run": True}, {"run": 2**70}, {"time": "now"}, {"step": 1.5},
        {"values": {"a": "1"}}, {"values": {"a": [1.0]}}, {"values": []}, {"values": {"a": 10**400}},
    ],
)  # fmt: skip
def test_an_event_of_other_types_is_refused_in_a_short_line(changed):
    sound = {"event": "MetricsLogged", "run": 0, "time": 1, "step": 1, "values": {"a": 1.0}}
    from_json_line(json.dumps(sound))
    with pytest.raises(ValueError, match="no event") as caught:
        from_json_line(json.dumps({**sound, **changed}))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "changed",
    [
        {"runs": [0]}, {"runs": 0}, {"steps": [1]}, {"steps": ["1", "2"]}, {"steps": [-1, 2]}, {"time": None},
        {"values": {"a": 1.0}}, {"values": {"a": [1.0, 2.0]}}, {"values": {"a": [[1.0, 2.0]]}},
        {"values": {"a": [[1.0], [2.0]]}}, {"values": {"a": [[1.0, 2.0], [1.0, "2"]]}},
        {"values": {"a": [[[1.0], 2.0], [1.0, 2.0]]}}, {"values": {"a": [[1.0, 2.0], 3.0]}},
        {"values": {"a": [[10**400, 1.0], [1.0, 2.0]]}},
    ],
)  # fmt: skip
def test_values_of_steps_of_other_types_or_shapes_are_refused_in_a_short_line(changed):
    sound = {
        "event": "StepMetricsLogged", "runs": [0, 1], "time": 1, "steps": [1, 2],
        "values": {"a": [[1.0, 2.0], [3.0, 4.0]]},
    }  # fmt: skip
    from_json_line(json.dumps(sound))
    with pytest.raises(ValueError, match="no event") as caught:
        from_json_line(json.dumps({**sound, **changed}))
    assert len(str(caught.value)) < 300
    nested = {"event": "StackMetricsLogged", "runs": [0, 1], "time": 1, "step": 1, "values": sound["values"]}
    with pytest.raises(ValueError, match="no event"):
        from_json_line(json.dumps(nested))


def test_a_model_that_another_module_loads_is_no_event():
    model = {
        "loader_module": "micrograde.serving",
        "requirements": [],
        "inputs": {},
        "outputs": {},
        "example": [],
    }
    ended = {"event": "RunEnded", "run": 0, "time": 1, "status": "FINISHED", "model": model}
    from_json_line(json.dumps(ended))
    with pytest.raises(ValueError, match="no event, by its model"):
        from_json_line(json.dumps({**ended, "model": {**model, "loader_module": "os"}}))


def test_launches_that_cannot_be_sent_do_not_hold_a_command_up(tmp_path, monkeypatch):
    """Each costs some seconds, again and again; so not all are tried."""
    for number in range(20):
        folder = tmp_path / "mlruns" / "launches" / f"{number:02}"
        folder.mkdir(parents=True)
        process = {"host": "here", "namespace": "n", "process_id": 7, "started": 1.0}
        launch = {"server": None, "script": "train.py", "process": process}
        (folder / "launch.json").write_text(json.dumps(launch))
    tried = []

    def fails(folder, location):  # noqa: ARG001
        tried.append(folder)
        time.sleep(0.01)
        return Kept("its journal is none")

    monkeypatch.setattr(recovery, "send_launch", fails)
    monkeypatch.setattr(recovery, "VAIN_SECONDS", 0.03)
    recover(local_store(tmp_path))
    assert 0 < len(tried) < 10
