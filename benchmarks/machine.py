"""What the numbers were measured on."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("numpy", "torch", "jax", "scikit-learn", "numba", "micrograd", "mlflow", "hydra-core")


def processor() -> str:
    """The processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def blas() -> str:
    """Which library multiplies NumPy's matrices."""
    import numpy  # noqa: F401  # loads it
    from threadpoolctl import threadpool_info

    found = [f"{each['internal_api']} {each['version']}" for each in threadpool_info()]
    return ", ".join(sorted(set(found)))


def package(name: str) -> str:
    """The version of a package, or that it is missing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def peak_of(process: int) -> float:
    """The largest size that a process has had in memory, in MiB; Linux alone says that of each by itself."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def describe() -> dict[str, str]:
    """The machine and the versions, a line each."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": f"{processor()}, {len(os.sched_getaffinity(0))} cores, {platform.machine()}",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()}, Python {platform.python_version()}, BLAS {blas()}",
        "packages": ", ".join(f"{name} {package(name)}" for name in PACKAGES),
    }
