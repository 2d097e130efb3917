"""Lose the power of a small disk at a random moment, and see what the next commands make of what is on it.

    unshare -m python tests/system/power_loss.py FOLDER HOME [--losses 40] [--seed 0] [--keep KEPT]

FOLDER is for disks, HOME a home with an empty store, KEPT where the disks of losses that do not come through are
kept, as the loss left them and as the later commands did. The disk is an ext4 file system in a file. At a
moment that is drawn, all processes of a launch are stopped and the file is copied: what the kernel has not
written to it by then is lost, as it is when the power fails. (A copy during which something was written is made
again.) On the copy, mounted in the place of the first, the same command is given again, at once or after
others. Each loss must show that

- of what was in a journal two seconds before the loss, nothing is missing,
- a run that the store calls FINISHED then has all its files,
- every later command works, and nothing stays RUNNING,
- the end is that of a launch that nothing has disturbed, bit for bit.

It needs the right to mount.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil

SIZE = 192 * 2**20
COMMON = ("data=iris", "training.checkpoint_seconds=0.3", "tracking.pictures=light")
KINDS = {
    "run": (*COMMON, "training.num_epochs=1500", "training.resume=auto", "optimizer=adam"),
    "sweep": (*COMMON, "-m", "training.num_epochs=400", "seed=0,1,2", "optimizer.learning_rate=0.1,0.3"),
}
FIRST = (("sync", "compare"), (), ("compare", "sync"))  # which command comes first must not matter
ACKNOWLEDGED = 2.0  # seconds


class End(NamedTuple):
    """What came of a launch: of each run that counts, by its recipe, its files and its values."""

    files: dict[str, dict[str, str]]
    values: dict[str, list[Any]]
    unfinished: int


class Disk:
    """An ext4 file system in a file, mounted at a place."""

    def __init__(self, image: Path, place: Path) -> None:
        self.image, self.place = image, place
        place.mkdir(exist_ok=True)
        shell("mount", "-o", "loop", str(image), str(place))
        self.device = shell("findmnt", "-no", "SOURCE", str(place)).strip()

    def written(self) -> tuple[str, ...]:
        """How often the device was written to, and what is under way."""
        words = Path(f"/sys/block/{Path(self.device).name}/stat").read_text().split()
        return words[4], words[6], words[8]

    def copy(self, to: Path) -> None:
        """Copy what is on it at one moment."""
        for _ in range(200):
            before = self.written()
            shell("cp", "--sparse=always", str(self.image), str(to))
            if self.written() == before and before[-1] == "0":
                return
        raise SystemExit("the disk does not come to rest")

    def unmount(self) -> None:
        for _ in range(100):  # who was killed may not have ended yet
            if subprocess.run(["umount", str(self.place)], capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise SystemExit(f"{self.place} is in use")


def shell(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def command(home: Path, *words: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "MICROGRADE_HOME": str(home), "MICROGRADE_QUIET": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "micrograde", *words],
        cwd=home,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def done(home: Path, *words: str) -> str:
    process = command(home, *words)
    said, _ = process.communicate(timeout=300)
    if process.returncode:
        raise AssertionError(f"{' '.join(words)} has ended with {process.returncode}: {said}")
    return said


@contextmanager
def read_store(database: Path) -> Iterator[sqlite3.Connection]:
    """Open a copy: a transaction that was broken off is for the commands to take back, not for who looks on."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("", "-journal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{database}{suffix}", f"{folder}/copy{suffix}")
        with closing(sqlite3.connect(f"{folder}/copy")) as store:
            yield store


def end_of(home: Path) -> End:
    """What the store and the files say of the runs that count."""
    with read_store(home / "mlruns" / "mlflow.db") as store:
        runs = store.execute(
            "select r.run_uuid, r.status, r.artifact_uri, d.value from runs r join tags d on "
            "d.run_uuid = r.run_uuid and d.key = 'micrograde.config_digest' where not exists (select 1 from tags s "
            "where s.run_uuid = r.run_uuid and s.key = 'micrograde.superseded')"
        ).fetchall()
        (running,) = store.execute("select count(*) from runs where status = 'RUNNING'").fetchone()
        end = End({}, {}, running)
        for run_id, status, address, digest in runs:
            if status != "FINISHED":
                continue
            folder = Path(address.removeprefix("file://"))
            end.files[digest] = {
                str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
                if path.suffix == ".safetensors" and path.parent.name == "model"
                else str(path.stat().st_size > 0)
                for path in sorted(folder.rglob("*"))
                if path.is_file() and path.parent.name != "checkpoints"
            }
            query = "select key, step, value from metrics where run_uuid = ? order by key, step"
            end.values[digest] = store.execute(query, (run_id,)).fetchall()
    return end


def journals(home: Path) -> dict[str, int]:
    found = {}
    for path in (home / "mlruns" / "launches").glob("*/journal.jsonl"):
        try:
            found[path.parent.name] = path.stat().st_size
        except OSError:
            continue
    return found


def watch(home: Path, seen: list[tuple[float, dict[str, int]]], over: threading.Event) -> None:
    """Note how long the journals are, several times a second."""
    while not over.wait(0.1):
        seen.append((time.monotonic(), journals(home)))


def lose(disk: Disk, home: Path, words: tuple[str, ...], moment: float, copy: Path) -> dict[str, int]:
    """Start a launch, copy the disk after so many seconds; return the journals of two seconds before."""
    seen: list[tuple[float, dict[str, int]]] = []
    over = threading.Event()
    process = command(home, "train", *words)
    watcher = threading.Thread(target=watch, args=(home, seen, over))
    watcher.start()
    time.sleep(moment)
    lost_at = time.monotonic()
    own = psutil.Process(process.pid)
    tree = []
    try:
        tree = [own, *own.children(recursive=True)]
        for each in tree:
            each.suspend()
    except psutil.NoSuchProcess:
        pass
    over.set()
    watcher.join()
    disk.copy(copy)
    for each in tree:
        try:
            each.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    process.communicate()
    before = [sizes for at, sizes in seen if at <= lost_at - ACKNOWLEDGED]
    return before[-1] if before else {}


def check(
    kind: str,
    first: tuple[str, ...],
    base: Path,
    folder: Path,
    moment: float,
    undisturbed: End,
    kept: Path | None,
) -> str:
    """One loss; return what is wrong, or nothing.

    Its disk is copied to ``kept`` before anything looks at it. The commands ``first`` are given before the one
    that was broken off.
    """
    image, copy, place = folder / "disk", folder / "copy", folder / "mounted"
    shutil.copyfile(base, image)
    disk = Disk(image, place)
    home = place / "home"
    acknowledged = lose(disk, home, KINDS[kind], moment, copy)
    disk.unmount()
    if kept:
        shell("cp", "--sparse=always", str(copy), str(kept))
    disk = Disk(copy, place)
    try:
        now = journals(home)
        for launch, size in acknowledged.items():
            # A launch whose folder is gone has recorded everything.
            if (home / "mlruns" / "launches" / launch).exists() and now.get(launch, 0) < size:
                return f"the journal has {now.get(launch, 0)} bytes and had {size} two seconds before"
        hollow = [
            digest
            for digest, files in end_of(home).files.items()
            if files.keys() < undisturbed.files[digest].keys() or "False" in files.values()
        ]
        if hollow:
            return f"{len(hollow)} FINISHED runs lack files"
        try:
            for word in first:
                if word != "compare" or end_of(home).values or end_of(home).unfinished:
                    done(home, word)
            done(home, "train", *KINDS[kind])
        except AssertionError as error:
            return str(error)
        end = end_of(home)
        if end.unfinished:
            return f"{end.unfinished} runs are RUNNING"
        if end.values != undisturbed.values:
            return "the values are others"
        if end.files != undisturbed.files:
            return "the files are others"
        return ""
    finally:
        disk.unmount()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("home", type=Path)
    parser.add_argument("--losses", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    folder, draw = arguments.folder, random.Random(arguments.seed)
    base = folder / "base"
    with base.open("wb") as file:
        file.truncate(SIZE)
    shell("mkfs.ext4", "-q", str(base))
    disk = Disk(base, folder / "mounted")
    shutil.copytree(arguments.home, disk.place / "home")
    disk.unmount()
    undisturbed, took = {}, {}
    for kind in KINDS:
        image = folder / "disk"
        shutil.copyfile(base, image)
        disk = Disk(image, folder / "mounted")
        start = time.monotonic()
        done(disk.place / "home", "train", *KINDS[kind])
        took[kind] = time.monotonic() - start
        undisturbed[kind] = end_of(disk.place / "home")
        assert undisturbed[kind].values
        disk.unmount()
    good = 0
    for number in range(arguments.losses):
        kind = list(KINDS)[number % len(KINDS)]
        moment = draw.uniform(0.3, 1.0) * took[kind]  # before, there is nothing yet
        kept = arguments.keep and arguments.keep / f"loss-{number}"
        first = FIRST[number // len(KINDS) % len(FIRST)]
        wrong = check(kind, first, base, folder, moment, undisturbed[kind], kept)
        if kept and wrong:
            shell("cp", "--sparse=always", str(folder / "copy"), f"{kept}-afterwards")
        elif kept:
            kept.unlink()
        good += not wrong
        print(f"{kind} of {took[kind]:.1f} s, power lost after {moment:.1f} s: {wrong or 'good'}", flush=True)
    print(f"{good} of {arguments.losses} losses of power came through", flush=True)
    return int(good < arguments.losses)


if __name__ == "__main__":
    sys.exit(main())
