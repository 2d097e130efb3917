"""Keywords of ``mg.run`` and ``mg.sweep``: ``learning_rate=0.1`` for ``"optimizer.learning_rate=0.1"``.

The names are the estimator's, and beyond those the last part of every key that no other key shares.
"""

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from micrograde.api.estimator_arguments import keys_of_arguments
from micrograde.config.keys import OF_SWEEPS, UNTYPED, key_of, keys_of, takes_list
from micrograde.config.recipe_versions import VERSION_KEY
from micrograde.core.errors import InputError
from micrograde.core.overrides import is_plain_key, quoted_text
from micrograde.data.messages import shortened

_GROUPS = ("data", "model", "optimizer", "schedule", "loss", "training", "tracking", "search", "experiment")
_OFFERED = 3


def overrides_of(keywords: Mapping[str, Any], typed: Sequence[str], *, sweeps: bool) -> list[str]:
    """Return the overrides that keywords stand for.

    Parameters
    ----------
    typed
        The overrides that were given as text.
    sweeps
        Whether several values may be given: a list for a key of one value, a list of lists for
        ``hidden_size``.

    Raises
    ------
    InputError
        If there is no such keyword, a key is given twice, or a value cannot be one of a config.
    """
    given = {key_of(text): text for text in typed}
    found: list[str] = []
    for name, value in keywords.items():
        keys = _keys(name, sweeps=sweeps)
        for key in keys:
            if value is None and (len(keys) > 1 or key.split(".")[0] in ("optimizer", "schedule")):
                continue  # its own default, as for the estimator
            if key in given:
                raise InputError(
                    f"{name}={_shown(value)}: {key} is given twice, also as {shortened(given[key], 80)}"
                )
            given[key] = f"{name}={_shown(value)}"
            found.append(f"{key}={_values(name, key, value, sweeps=sweeps and len(keys) == 1)}")
    return found


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the error line for a keyword that does not exist, with the names that are like it."""
    near = difflib.get_close_matches(name, names, _OFFERED)
    hint = f"did you mean {' or '.join(near)}?" if near else "see help(mg.run) for the keywords"
    return f"{shortened(name)}: there is no such keyword; {hint}"


@cache
def keywords() -> Mapping[str, tuple[str, ...]]:
    """Return the keys that each keyword stands for; of a name that keys share, all of these."""
    own: dict[str, list[str]] = {}
    typed = [key for key in keys_of("train") if key not in (*OF_SWEEPS, *UNTYPED, VERSION_KEY)]
    for key in typed:
        first, *rest = key.split(".")
        if len(rest) == 1 and (rest != ["name"] or first in ("run", "sweep")):
            own.setdefault(rest[0], []).append(key)
    whole = {key: [key] for key in typed if "." not in key}
    groups = {name: [name] for name in _GROUPS}
    return {name: tuple(keys) for name, keys in {**own, **whole, **groups}.items()} | keys_of_arguments()


def _keys(name: str, *, sweeps: bool) -> tuple[str, ...]:
    known = keywords()
    if name not in known:
        raise InputError(nearest(name, known))
    keys = known[name]
    if name in keys_of_arguments():
        return keys
    if not sweeps:
        keys = tuple(key for key in keys if not key.startswith("sweep.")) or keys
    if len(keys) > 1:
        raise InputError(f"{name}: may be {' or '.join(keys)}; give it as text, such as '{keys[0]}=...'")
    return keys


def _values(name: str, key: str, value: Any, *, sweeps: bool) -> str:
    """Return the value of an override, with commas between the values of a sweep."""
    given, value = value, _plain(name, value)
    if not isinstance(value, list):
        return _written(name, value)
    is_one = takes_list(key) and not any(isinstance(each, list) for each in value)
    if is_one:
        return _written(name, value)
    if not sweeps:
        keys = keywords()[name]
        advice = f"give a list to {keys[0]}" if len(keys) > 1 else "mg.sweep makes a run of each"
        raise InputError(f"{name}={_shown(given)}: is several values; {advice}")
    if not value:
        raise InputError(f"{name}=[]: holds no value")
    return ",".join(_written(name, each) for each in value)


def _plain(name: str, value: Any) -> Any:
    """Return NumPy's numbers and arrays, ranges and tuples as Python's numbers and lists."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(name, each) for key, each in value.items()}
    is_list = isinstance(value, Sequence | np.ndarray) and not isinstance(value, bytes)
    if is_list or hasattr(value, "to_list"):
        return [_plain(name, each) for each in value]
    raise InputError(f"{name}: is a value of type {type(value).__name__}; needs a number, a text or a list")


def _written(name: str, value: Any) -> str:
    """Return a value in Hydra's syntax."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{name}={value}: should be a finite number")
        return repr(value)
    if isinstance(value, list):
        return f"[{','.join(_written(name, each) for each in value)}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{_key(key)}:{_written(name, each)}' for key, each in value.items())}}}"
    return quoted_text(value)


def _key(name: str) -> str:
    """Return a name as a dictionary's key, in quotes where it could be read as something else."""
    return name if is_plain_key(name) else quoted_text(name)


def _shown(value: Any) -> str:
    """Return a value for an error line; of anything but numbers, texts and short lists only the type."""
    if value is None or isinstance(value, bool | int | float | str | range):
        return shortened(repr(value), 80)
    if isinstance(value, list | tuple) and all(isinstance(each, int | float | str) for each in value):
        return shortened(repr(value), 80)
    return f"<{type(value).__name__}>"
