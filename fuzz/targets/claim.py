"""What lies beside a journal: which sweep or run a launch has claimed, who has that, and who trains.

byte 0    which of the three files is the rest: claim.json, the claim's owner, launch.json
rest      the file
"""

import json
from pathlib import Path
from typing import Any

from fuzz.parts import choose
from fuzz.target import FindingError, Target
from micrograde.tracking import Launch
from micrograde.tracking.claim import Claim

_NAME = "c" * 32
_PROCESS = {"host": "here", "namespace": "n", "process_id": 7, "started": 1.5}
_FILES: dict[str, dict[str, Any]] = {
    "launches/one/claim.json": {"path": _NAME, "token": "0" * 32},
    f"claims/{_NAME}.owner": {"token": "0" * 32, "process": 7},
    "launches/one/launch.json": {"server": None, "script": "train.py", "process": _PROCESS},
}


class NoneThereError(Exception):
    """A file is taken for none: nobody has claimed anything, or trains."""


def _read(folder: Path, content: bytes) -> object:
    changed = choose(content, 0, list(_FILES))
    for name, sound in _FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content[1:] if name == changed else json.dumps(sound).encode())
    launch = folder / "launches" / "one"
    claim = Claim.of(launch)
    found = folder, claim, claim.owner() if claim else {}, Launch.read(launch)
    _check(found)
    if not all(found):
        raise NoneThereError(f"{changed} says nothing")
    return found


def _check(result: Any) -> None:
    """Raise unless what is claimed lies among the claims, and a number is a process's."""
    folder, claim, owner, launch = result
    if claim is not None and (claim.path.parent != folder / "claims" or "." in claim.path.name):
        raise FindingError(f"a claim of {claim.path}")
    numbers = [owner["process"]] if "process" in owner else []
    if launch is not None:
        numbers.append(launch.process.process_id)
        launch.process.as_tags()
        if launch.process.has_died() not in (True, False):
            raise FindingError("neither dead nor alive")
    if not all(type(number) is int and 0 < number < 2**31 for number in numbers):
        raise FindingError(f"no process: {numbers}")


def _seeds() -> list[bytes]:
    seeds = [bytes([index]) + json.dumps(sound).encode() for index, sound in enumerate(_FILES.values())]
    return [*seeds, b"\0" + json.dumps({"path": f"/a/mlruns/claims/{_NAME}", "token": "ab"}).encode()]


def _bombs() -> list[bytes]:
    texts = (b"[" * 200_000, b" " * 2**20, b'{"process": -5}', b'{"process": %s}' % (b"9" * 100_000))
    return [bytes([index]) + text for index in range(len(_FILES)) for text in texts]


CLAIM = Target(
    "claim",
    _read,
    _seeds,
    _bombs,
    words=(
        b'"path"',
        b'"token"',
        b'"process"',
        b'"process_id"',
        b"-5",
        b"true",
        b"null",
        b"../",
        b"[]",
        b"{}",
    ),
    refusals=(NoneThereError,),
    check=_check,
)
