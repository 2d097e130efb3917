"""What, beside the code and the recipe, a run's last digits depend on: libraries and processor."""

import platform
from importlib.metadata import version
from pathlib import Path


def environment() -> dict[str, str]:
    """Versions of Python and NumPy, the BLAS and the processor that it computes for, the processor."""
    import numpy  # noqa: F401 (so that its BLAS is there to be asked)
    from threadpoolctl import threadpool_info

    libraries = [library for library in threadpool_info() if library["user_api"] == "blas"]
    # SciPy, where something has loaded it, brings another one, by which nothing here is computed.
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
    """The same as the text of a tag: ``python 3.11.7, numpy 2.3.1, blas openblas 0.3.29 Haswell, ...``."""
    return ", ".join(f"{key} {value.replace(',', ' ')}" for key, value in environment().items())


def parse_environment_tag(text: str) -> dict[str, str]:
    """The inverse of ``environment_tag``, as far as the text is one."""
    pairs = (part.partition(" ") for part in text.split(", "))
    return {key: value for key, _, value in pairs}


def _processor() -> str:
    """The processor's name, as the machine tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
