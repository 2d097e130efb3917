"""The pictures that a sweep's report shows of the run in the middle of its best setting."""

from collections.abc import Iterator

from micrograde.core.errors import InputError
from micrograde.runs.files import contained, files_of
from micrograde.store import StoreLocation, load_run

_SHOWN = ("learning_curves", "confusion_matrix")
_FOLDER = "figures"
_SUFFIXES = (".svg", ".png")
_LARGEST = 4_000_000  # bytes; the store may be anybody's


def pictures_of_run(run_id: str, location: StoreLocation) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each picture; nothing of a run whose files cannot be read."""
    try:
        with files_of(load_run(location.read_at, run_id), location, (_FOLDER,)) as files:
            for name in (f"{_FOLDER}/{shown}{suffix}" for shown in _SHOWN for suffix in _SUFFIXES):
                path = contained(files, name)
                if path and path.is_file() and path.stat().st_size <= _LARGEST:
                    yield name, path.read_bytes()
    except (InputError, OSError):
        return
