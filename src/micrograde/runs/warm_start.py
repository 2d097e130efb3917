"""Warm start: the weights of a recorded run that another run begins with, ``model.init_from``.

A recipe says which run's weights are meant by its whole id and by the weights' digest, so that whoever trains
by it again begins with the same numbers, or is told that these are no more.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from micrograde.analysis.short_ids import SHORTEST
from micrograde.config.schema import TrainConfig
from micrograde.core.errors import InputError
from micrograde.data.messages import shortened
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray, Shape
from micrograde.runs.files import files_of
from micrograde.runs.recorded_models import MODEL, read_model_of
from micrograde.store import StoredRun, StoreLocation, find_run
from micrograde.tracking import recover

KEY = "model.init_from"


@dataclass(frozen=True)
class Copied:
    """Which layers begin with the weights of another run, and why others do not, by their names."""

    layers: tuple[str, ...]
    others: Mapping[str, str]

    def line(self, run: StoredRun) -> str:
        """Return what becomes of each layer, in a line."""
        begin = "begin" if len(self.layers) > 1 else "begins"
        said = f"{_listed(self.layers)} {begin} with the weights of run {run.about.run_id[:SHORTEST]}"
        if run.about.status != "FINISHED":
            said += f", which is {run.about.status}"
        if not self.others:
            return said
        own = ", ".join(f"{layer} ({why})" for layer, why in self.others.items())
        return f"{said}; with initial weights of {'their' if len(self.others) > 1 else 'its'} own: {own}"


@dataclass(frozen=True)
class WarmStart:
    """A recorded run and the arrays of its kept model, by name.

    Attributes
    ----------
    digest
        The SHA-256 of the arrays.
    """

    run: StoredRun
    arrays: Mapping[str, FloatArray]
    digest: str

    def copy_to(self, model: MLP) -> Copied:
        """Copy the arrays of the layers whose shapes are the same to each replica of a stack.

        A layer is copied as a whole, with its running statistics, or not at all; others stay as they are.
        """
        here = _shapes({**model.layout.shapes, **model.statistics_layout.shapes})
        there = _shapes({name: array.shape for name, array in self.arrays.items()})
        copied = [layer for layer, shapes in here.items() if there.get(layer) == shapes]
        views = {
            **model.layout.views(model.parameters),
            **model.statistics_layout.views(model.statistics),
        }
        for layer in copied:
            for name in here[layer]:
                views[f"{layer}.{name}"][...] = self.arrays[f"{layer}.{name}"]
        others = {
            layer: _difference(shapes, there.get(layer))
            for layer, shapes in here.items()
            if layer not in copied
        }
        return Copied(tuple(copied), others)


def like(config: TrainConfig, inputs: int, outputs: int) -> MLP:
    """Return a network of the layers and sizes of a run's, with weights that mean nothing."""
    model = config.model
    return MLP(
        inputs,
        model.hidden_size,
        outputs,
        batch_norm=False,
        normalization=model.normalizer,
        output_batch_norm=model.output_batch_norm,
        generators=np.random.default_rng(0),
        dtype=config.training.dtype,
    )


class WarmStarts:
    """The runs that other runs begin with, each read once.

    Parameters
    ----------
    location
        The store that they are in.
    """

    def __init__(self, location: StoreLocation) -> None:
        self._location = location
        self._found: dict[str, WarmStart] = {}

    def resolved(self, config: TrainConfig) -> TrainConfig:
        """Return the config with the whole id of the run, and the digest of its weights.

        Raises
        ------
        InputError
            If there is no such run, it has no model, or not the weights that the config asks for.
        """
        typed = config.model.init_from
        if typed is None:
            return config
        found = self.of(typed)
        if config.model.init_digest not in (None, found.digest):
            raise InputError(
                f"{KEY}={typed}: the weights of that run have changed since (digest "
                f"{found.digest[:12]}, not {str(config.model.init_digest)[:12]})"
            )
        model = replace(config.model, init_from=found.run.about.run_id, init_digest=found.digest)
        return replace(config, model=model)

    def of(self, typed: str) -> WarmStart:
        """Return the run that is meant; see ``find_run`` for what may be typed."""
        if not self._found:
            recover(self._location)
        if typed not in self._found:
            found = read_warm_start(typed, self._location)
            self._found[typed] = self._found.setdefault(found.run.about.run_id, found)
        return self._found[typed]


def read_warm_start(typed: str, location: StoreLocation) -> WarmStart:
    """Read the weights of a run of a store.

    Raises
    ------
    InputError
        If there is no such run, or it has no model, or one that is damaged or not finite.
    """
    run = find_run(location.tracking_uri, typed, KEY)
    with files_of(run, location, (MODEL,)) as files:
        arrays = read_model_of(files, run, KEY).model.state()
    return WarmStart(run, arrays, digest_of(arrays))


def digest_of(arrays: Mapping[str, FloatArray]) -> str:
    """Return the SHA-256 of arrays, with their names, types and shapes."""
    found = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        found.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def no_layer_fits(typed: str, run: StoredRun, copied: Copied) -> InputError:
    """Return the error for a run none of whose layers has the shapes of the network's."""
    why = ", ".join(f"{layer} ({reason})" for layer, reason in copied.others.items())
    return InputError(
        f"{KEY}={typed}: no layer of run {run.about.run_id[:SHORTEST]} has the shapes of this network's: "
        f"{shortened(why, 300)}"
    )


def _shapes(arrays: Mapping[str, Shape]) -> dict[str, dict[str, Shape]]:
    """Return the shapes of each layer's arrays, by the layer's name."""
    found: dict[str, dict[str, Shape]] = {}
    for name, shape in arrays.items():
        layer, _, array = name.partition(".")
        found.setdefault(layer, {})[array] = tuple(shape)
    return found


def _difference(here: Mapping[str, Shape], there: Mapping[str, Shape] | None) -> str:
    if there is None:
        return "not in that run"
    name = next((name for name in here if there.get(name) != here[name]), None)
    if name is None:
        return "other arrays there"
    return f"{_by(here[name])} here, {_by(there[name]) if name in there else 'none'} there"


def _by(shape: Shape) -> str:
    return "x".join(map(str, shape))


def _listed(names: tuple[str, ...]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
