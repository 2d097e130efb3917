"""A stand-in for Slurm's `sbatch`, `srun`, `scontrol` and `sacct`: an array of jobs runs on this machine.

Its first argument is the program's name. What it knows of a job is in the folder ``SLURM_STAND_IN``. The job of an
array whose number is in ``SLURM_STAND_IN_KILLS`` ends without having run, as if it had needed too much memory.
``SLURM_STAND_IN_SIGNALS``, such as ``0:SIGUSR2 2:SIGKILL``, says which jobs of the array get which signal once
they train, with all processes that they have started: the first is what Slurm sends before a job's time is
over, or when others need its node, and the other what comes some seconds after ``scancel``.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

_SECONDS_OF_TRAINING = float(os.environ.get("SLURM_STAND_IN_AFTER", "2"))
_ENDED = {"SIGUSR2": "TIMEOUT", "SIGKILL": "CANCELLED"}
STATES = Path(os.environ["SLURM_STAND_IN"])


def sbatch(script: str) -> None:
    """Say the job's number, and run the array in a process that goes on."""
    job = str(1000 + len(list(STATES.glob("*.script"))))
    copy = STATES / f"{job}.script"
    copy.write_text(Path(script).read_text())
    subprocess.Popen(
        [sys.executable, __file__, "array", job],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    print(f"Submitted batch job {job}")


def run_array(job: str) -> None:
    """Run all jobs of an array, as many at a time as it says; without an array the only one."""
    script = STATES / f"{job}.script"
    found = re.search(r"--array=0-(\d+)%(\d+)", script.read_text())
    killed = os.environ.get("SLURM_STAND_IN_KILLS", "").split(",")

    signals = dict(each.split(":") for each in os.environ.get("SLURM_STAND_IN_SIGNALS", "").split())

    def run(name: str, of_array: dict[str, str]) -> None:
        state, number = STATES / f"{name}.state", of_array.get("SLURM_ARRAY_TASK_ID", "0")
        state.write_text("RUNNING")
        mine = {
            "SLURM_JOB_ID": name.replace("_", ""),
            "SLURM_JOB_NODELIST": socket.gethostname(),
            **{f"SLURM_{each}": "1" for each in ("NTASKS", "JOB_NUM_NODES")},
            **{f"SLURM_{each}": "0" for each in ("PROCID", "LOCALID", "NODEID")},
        }
        at_work = len([each for each in STATES.glob("*.state") if each.read_text() == "RUNNING"])
        (STATES / f"{name}.at_work").write_text(str(at_work))
        if number in killed:
            state.write_text("OUT_OF_MEMORY")
            return
        environment = {**os.environ, **mine, **of_array}
        sent, again = signals.get(number), True
        while again:
            with subprocess.Popen(["bash", str(script)], env=environment) as batch:
                if sent:
                    send_to_step(batch.pid, sent)
                status = batch.wait()
            again, ended = (STATES / f"{name}.requeue").exists(), _ENDED.get(sent or "", "FAILED")
            sent = None
            (STATES / f"{name}.requeue").unlink(missing_ok=True)
        state.write_text(ended if status else "COMPLETED")

    if found is None:
        run(job, {})
        return
    with ThreadPoolExecutor(int(found[2])) as pool:
        for task in range(int(found[1]) + 1):
            of_array = {"SLURM_ARRAY_JOB_ID": job, "SLURM_ARRAY_TASK_ID": str(task)}
            pool.submit(run, f"{job}_{task}", of_array)


def send_to_step(pid: int, name: str) -> None:
    """Wait until the job has a writer and trains, and send a signal to all that ``srun`` has started."""
    batch = psutil.Process(pid)
    while batch.is_running() and batch.status() != psutil.STATUS_ZOMBIE:
        started = batch.children(recursive=True)
        words = [word for each in started for word in each.cmdline()]
        if "micrograde.tracking.writer" in words:
            time.sleep(_SECONDS_OF_TRAINING)
            for each in batch.children(recursive=True):
                if __file__ not in each.cmdline():  # that is srun
                    each.send_signal(signal.Signals[name])
            return
        time.sleep(0.05)


def srun(words: list[str]) -> None:
    """Run a command, with its output in the files that are named."""
    task = {"%A": "ARRAY_JOB_ID", "%a": "ARRAY_TASK_ID", "%j": "JOB_ID", "%t": "PROCID"}
    files = {}
    while words[0].startswith("-"):
        name = words.pop(0)
        if name in ("--output", "--error"):
            path = words.pop(0)
            for sign, variable in task.items():
                path = path.replace(sign, os.environ.get(f"SLURM_{variable}", ""))
            files[name] = path
    with Path(files["--output"]).open("ab") as output, Path(files["--error"]).open("ab") as error:
        sys.exit(subprocess.run(words, stdout=output, stderr=error, check=False).returncode)


def scontrol(what: str, job: str) -> None:
    """Note that a job is to be run again when it has ended."""
    assert what == "requeue"
    (STATES / f"{job}.requeue").touch()


def sacct() -> None:
    """Say how each job stands."""
    print("JobID|State|NodeList")
    for path in sorted(STATES.glob("*.state")):
        print(f"{path.stem}|{path.read_text()}|{socket.gethostname()}")


if __name__ == "__main__":
    called, *given = sys.argv[1:]
    if called == "sbatch":
        sbatch(given[-1])
    elif called == "srun":
        srun(given)
    elif called == "scontrol":
        scontrol(*given)
    elif called == "sacct":
        sacct()
    else:
        run_array(given[0])
