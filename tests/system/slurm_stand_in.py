"""A stand-in for Slurm's `sbatch`, `srun` and `sacct`: an array of jobs runs on this machine.

Its first argument is the program's name. What it knows of a job is in the folder ``SLURM_STAND_IN``. The job of an
array whose number is in ``SLURM_STAND_IN_KILLS`` ends without having run, as if it had needed too much memory.
"""

import os
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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
        done = subprocess.run(["bash", str(script)], env=environment, check=False)
        state.write_text("FAILED" if done.returncode else "COMPLETED")

    if found is None:
        run(job, {})
        return
    with ThreadPoolExecutor(int(found[2])) as pool:
        for task in range(int(found[1]) + 1):
            of_array = {"SLURM_ARRAY_JOB_ID": job, "SLURM_ARRAY_TASK_ID": str(task)}
            pool.submit(run, f"{job}_{task}", of_array)


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
    elif called == "sacct":
        sacct()
    else:
        run_array(given[0])
