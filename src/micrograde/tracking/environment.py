"""The libraries and the processor, on which a run's last digits depend besides the code and the recipe."""

import platform
from importlib.metadata import version
from pathlib import Path


def environment() -> dict[str, str]:
    """Return the versions of Python and NumPy, the BLAS with its target architecture, and the processor."""
    import numpy  # noqa: F401 (so that its BLAS is loaded)
    from threadpoolctl import threadpool_info

    libraries = [library for library in threadpool_info() if library["user_api"] == "blas"]
    # If SciPy is loaded it has a BLAS of its own, which computes nothing here.
    own = [library for library in libraries if "numpy" in Path(library["filepath"]).parent.name]
    blas = [
        " ".join(str(library.get(key)) for key in ("internal_api", "version", "architecture"))
        for library in own or libraries
    ]
    return {
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "blas": "+".join(sorted(set(blas))) or "unknown",
        "cpu": _processor(),
    }


def environment_tag() -> str:
    """Return the environment as a tag: ``python 3.11.7, numpy 2.3.1, blas openblas 0.3.29 Haswell, ...``."""
    return ", ".join(f"{key} {value.replace(',', ' ')}" for key, value in environment().items())


def parse_environment_tag(text: str) -> dict[str, str]:
    """Return the environment from such a tag; a text in another form gives whatever pairs it contains."""
    pairs = (part.partition(" ") for part in text.split(", "))
    return {key: value for key, _, value in pairs}


def _processor() -> str:
    """Return the processor's name as the system reports it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
