"""The multi-layer perceptron, as a single network or a stack of replicas that train side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import DTypeLike

from micrograde.nn.activation_layer import ActivationLayer
from micrograde.nn.activations import Activation, make_activation
from micrograde.nn.arrays import FloatArray, IntArray, check_size
from micrograde.nn.initializers import Generators, Initializer, replica_axis
from micrograde.nn.layer import Layer, Role
from micrograde.nn.linear import LinearLayer
from micrograde.nn.losses import Loss, LossLayer, make_loss
from micrograde.nn.losses.cross_entropy import CrossEntropy
from micrograde.nn.normalizations import (
    NORMALIZATIONS,
    Normalization,
    NormalizationLayer,
    make_normalization,
)
from micrograde.nn.normalizations.batch_norm import BatchNorm, BatchNormalization
from micrograde.nn.parameters import ArrayLayout, prefixed


class MLP:
    """A network of linear layers, each normalized, with an activation between two of them.

    ``MLP(3, 5, 2)`` is the notebook's network, with weights drawn from the same
    random stream. The whole chain of gradients is shown in docs/backward/index.md.

    Parameters
    ----------
    input_size, hidden_size, output_size
        D, H and C; ``hidden_size`` may be a sequence of sizes, and an empty one gives softmax regression.
    activation
        One of ``ACTIVATIONS``, or its name.
    batch_norm
        False leaves every batch norm out.
    normalization
        One of ``NORMALIZATIONS``, or its name, in place of batch norm.
    output_batch_norm
        Whether the last linear layer is normalized, too, as in the notebook.
    initializer, initial_scale
        The distribution of the initial weights, one of ``INITIALIZERS`` or its name, and a factor on them,
        one for all or (R,).
    generators
        None draws from NumPy's global random state, as in the notebook. A generator gives a single network,
        a sequence of R generators a stack of R replicas, each drawing from its own.
    dtype
        float64, as in the notebook, or float32.
    loss_epsilon
        Of cross-entropy, see ``CrossEntropyLoss``: the notebook's 1e-15, or 0 for the exact loss.
    loss
        One of ``LOSSES``, or its name, in place of cross-entropy with ``loss_epsilon``.

    Attributes
    ----------
    layer1, batchnorm1, activation1, layer2, batchnorm2, ... loss
        The layers by the notebook's names, numbered in the order of the forward pass; another normalization
        than batch norm has a name of its own.
    layers : dict of the layers by name, in that order, without the loss
    sizes, activation, normalization, output_batch_norm
        (D, H, ..., C), the activation, the normalization, None if no layer has one, and whether the last
        layer has it.
    parameters, gradients : (P,), in a stack (R, P)
        One buffer each, into which the layers hold views; ``layout`` says where each name lies.
    statistics : (S,), in a stack (R, S)
        The statistics of all layers, such as the running ones of batch norm, in one buffer likewise.

    Raises
    ------
    ValueError
        If a size is below 1 or a name is unknown; in ``forward``, if shapes do not fit.
    """

    layer1: LinearLayer
    layer2: LinearLayer
    batchnorm1: BatchNormalization
    batchnorm2: BatchNormalization
    activation1: ActivationLayer
    loss: LossLayer

    def __init__(
        self,
        input_size: int,
        hidden_size: int | Sequence[int],
        output_size: int,
        *,
        activation: str | Activation = "tanh",
        batch_norm: bool = True,
        normalization: str | Normalization | None = None,
        output_batch_norm: bool = True,
        initializer: str | Initializer = "normal",
        initial_scale: float | FloatArray = 1.0,
        generators: Generators = None,
        dtype: DTypeLike = np.float64,
        loss_epsilon: float = 1e-15,
        loss: str | Loss | None = None,
    ) -> None:
        hidden_sizes = tuple(hidden_size) if isinstance(hidden_size, Sequence) else (hidden_size,)
        for size in hidden_sizes:
            check_size("MLP", hidden_size=size)
        self.sizes = (input_size, *hidden_sizes, output_size)
        self.activation = make_activation(activation) if isinstance(activation, str) else activation
        if isinstance(normalization, str):
            normalization = make_normalization(normalization)
        norm = normalization or (BatchNorm() if batch_norm else None)
        self.output_batch_norm = norm is not None and output_batch_norm
        self.normalization = norm if hidden_sizes or output_batch_norm else None
        self.replicas = replica_axis(generators)
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"MLP: dtype must be float32 or float64, got {self.dtype}")

        self.layers: dict[str, Layer] = {}
        last = len(self.sizes) - 1
        for number, (inputs, outputs) in enumerate(zip(self.sizes, self.sizes[1:], strict=False), start=1):
            norm = self.normalization if number < last or self.output_batch_norm else None
            linear = LinearLayer(
                inputs,
                outputs,
                initializer=initializer,
                generators=generators,
                dtype=self.dtype,
                biases_cancel=norm is not None and norm.cancels_biases,
            )
            with np.errstate(over="ignore"):  # an overflow shows in the loss
                linear.weights *= np.reshape(initial_scale, (-1, 1, 1) if np.ndim(initial_scale) else ())
            self.layers[f"layer{number}"] = linear
            if norm:
                self.layers[f"{norm.layer_name}{number}"] = norm.layer(
                    outputs, replicas=self.replicas, dtype=self.dtype
                )
            if number < last:
                self.layers[f"activation{number}"] = ActivationLayer(self.activation)
        for name, layer in self.layers.items():
            setattr(self, name, layer)
        self._backward_order = list(self.layers.values())[:0:-1]  # all but the first
        if isinstance(loss, str):
            loss = make_loss(loss)
        self.loss = (loss or CrossEntropy(epsilon=loss_epsilon)).layer(self.dtype)
        self._gather_arrays()

    @property
    def hidden_activations(self) -> list[ActivationLayer]:
        """The layers of the activation, in the order of the forward pass."""
        return [layer for layer in self.layers.values() if isinstance(layer, ActivationLayer)]

    @property
    def linear_layers(self) -> dict[str, LinearLayer]:
        """The linear layers by name, in the order of the forward pass."""
        return {name: layer for name, layer in self.layers.items() if isinstance(layer, LinearLayer)}

    @property
    def least_rows(self) -> int:
        """The rows that a training batch needs at least."""
        return self.normalization.least_rows if self.normalization else 1

    def _gather_arrays(self) -> None:
        """Move the arrays that the layers have allocated into the network's buffers."""

        def of_role(role: Role) -> dict[str, FloatArray]:
            views = (prefixed(name, layer.views(role)) for name, layer in self.layers.items())
            return {name: array for each in views for name, array in each}

        parameters, statistics = of_role("parameter"), of_role("statistic")
        axes = len(self.replicas)
        self.layout = ArrayLayout({name: array.shape[axes:] for name, array in parameters.items()})
        self.statistics_layout = ArrayLayout({name: array.shape[axes:] for name, array in statistics.items()})
        self.bind(
            np.empty((*self.replicas, self.layout.size), self.dtype),
            np.zeros((*self.replicas, self.layout.size), self.dtype),
            np.empty((*self.replicas, self.statistics_layout.size), self.dtype),
        )
        self.load_state({**parameters, **statistics})

    def bind(self, parameters: FloatArray, gradients: FloatArray, statistics: FloatArray) -> None:
        """Store parameters, gradients and statistics in these buffers from now on."""
        self.parameters, self.gradients, self.statistics = parameters, gradients, statistics
        biases = None
        for name, layer in self.layers.items():
            layer.bind(
                self.layout.stretch(name, parameters),
                self.layout.stretch(name, gradients),
                self.statistics_layout.stretch(name, statistics),
            )
            if isinstance(layer, LinearLayer):
                biases = layer.biases if layer.biases_cancel else None
            elif isinstance(layer, NormalizationLayer) and biases is not None:
                layer.follow(biases)

    def keep_replicas(self, rows: IntArray) -> None:
        """Drop all replicas but those at ``rows`` of the stack; their order and values stay the same."""
        self.replicas = (len(rows),)
        self.bind(self.parameters[rows], self.gradients[rows], self.statistics[rows])

    def same_kind(self, generators: Generators, *, dtype: DTypeLike | None = None) -> "MLP":
        """Return a new network with the same sizes, layers and loss, and by default the same dtype."""
        return MLP(
            self.sizes[0],
            self.sizes[1:-1],
            self.sizes[-1],
            activation=self.activation,
            batch_norm=False,
            normalization=self.normalization,
            output_batch_norm=self.output_batch_norm,
            generators=generators,
            dtype=self.dtype if dtype is None else dtype,
            loss=self.loss.function,
        )

    def alone(self, row: int) -> "MLP":
        """Return a copy of the replica at ``row``, as a stack of one."""
        copy = self.same_kind([np.random.default_rng(0)])
        copy.parameters[0], copy.gradients[0] = self.parameters[row], self.gradients[row]
        copy.statistics[0] = self.statistics[row]
        return copy

    def forward(
        self,
        x: FloatArray,
        targets: FloatArray,
        weights: FloatArray | None = None,
        total: float | None = None,
    ) -> FloatArray:
        """Return the mean loss of a training batch: a number, in a stack (R,).

        Parameters
        ----------
        x
            (N, D), or (R, N, D) with a batch for each replica.
        targets
            A row for each sample, (N, C) or (R, N, C); of classes a distribution, see ``one_hot``.
        weights, total
            What each sample counts, (N,) or (R, N), and what is divided by; see ``LossLayer.forward``.
        """
        return self.loss.forward(self.forward_logits(x), targets, weights, total)

    def forward_logits(self, x: FloatArray) -> FloatArray:
        """Return the logits (..., N, C) of a training batch, the first part of ``forward``."""
        out = np.asarray(x, self.dtype)
        for layer in self.layers.values():
            out = layer.forward(out)
        self.logits = out
        return out

    def backward(self, *, input_gradient: bool = False) -> None:
        """Set ``gradients`` to the gradients of the last ``forward``'s mean loss.

        With ``input_gradient``, also set ``grad_input``, the gradient of x: (N, D) or (R, N, D).
        Training does not need it, and it takes another matrix product.
        """
        grad_output = self.loss.backward()
        for layer in self._backward_order:
            grad_output = layer.backward(grad_output)
        if input_gradient:
            self.grad_input = self.layer1.backward(grad_output)
        else:
            self.layer1.backward_parameters(grad_output)

    def predict_logits(self, x: FloatArray) -> FloatArray:
        """Return the logits (..., N, C) in evaluation mode, as a new array, without changing the network."""
        out = np.asarray(x, self.dtype)
        for layer in self.layers.values():
            out = layer.evaluate(out)
        return out

    def state(self) -> dict[str, FloatArray]:
        """Return copies of all parameters and running statistics by name, such as ``layer1.weights``."""
        views = {**self.layout.views(self.parameters), **self.statistics_layout.views(self.statistics)}
        return {name: array.copy() for name, array in views.items()}

    @classmethod
    def from_state(
        cls,
        state: Mapping[str, FloatArray],
        activation: str | Activation,
        normalization: str | Normalization | None = None,
        *,
        output_batch_norm: bool | None = None,
    ) -> "MLP":
        """Return the single network that ``state`` describes, with exact cross-entropy.

        Its sizes and its dtype are inferred from the arrays, and so is the normalization, with the default
        hyperparameters, unless it is given. Whether the last layer has it is inferred, too, unless it is
        given, as it must be for a normalization without arrays.

        Raises
        ------
        ValueError
            If the arrays do not make up a network.
        """
        shapes: list[tuple[int, ...]] = []
        while (weights := state.get(f"layer{len(shapes) + 1}.weights")) is not None:
            shapes.append(weights.shape)
        if not shapes or any(len(shape) != 2 for shape in shapes):
            raise ValueError("MLP: the state has no layer1.weights, or weights without two axes")
        if isinstance(normalization, str):
            normalization = make_normalization(normalization)
        normalization = normalization or _normalization_of(state)
        if output_batch_norm is None:
            output_batch_norm = normalization is not None and _has_layer(state, normalization, len(shapes))
        model = cls(
            shapes[0][0],
            [outputs for _, outputs in shapes[:-1]],
            shapes[-1][1],
            activation=activation,
            batch_norm=False,
            normalization=normalization,
            output_batch_norm=output_batch_norm,
            generators=np.random.default_rng(0),  # the weights drawn are overwritten below
            dtype=state["layer1.weights"].dtype,
            loss_epsilon=0.0,
        )
        model.load_state(state)
        return model

    def load_state(self, state: Mapping[str, FloatArray]) -> None:
        """Copy in the arrays that ``state()`` of a network of the same sizes returned.

        Raises
        ------
        ValueError
            If a name is missing or unknown, or a shape differs.
        """
        views = {**self.layout.views(self.parameters), **self.statistics_layout.views(self.statistics)}
        if state.keys() != views.keys():
            missing, unknown = sorted(views.keys() - state.keys()), sorted(state.keys() - views.keys())
            raise ValueError(f"MLP: the state lacks {missing} and has the unknown {unknown}")
        for name, view in views.items():
            if state[name].shape != view.shape:
                raise ValueError(f"MLP: {name} has shape {view.shape}, the state's is {state[name].shape}")
        for name, view in views.items():
            view[...] = state[name]


def _normalization_of(state: Mapping[str, FloatArray]) -> Normalization | None:
    """Return the normalization whose layers a state has arrays of; None for none."""
    return next((each() for each in NORMALIZATIONS.values() if _has_layer(state, each, 1)), None)


def _has_layer(
    state: Mapping[str, FloatArray], normalization: Normalization | type[Normalization], number: int
) -> bool:
    """Return whether a state has arrays of the normalization that follows the linear layer ``number``."""
    return any(name.startswith(f"{normalization.layer_name}{number}.") for name in state)
