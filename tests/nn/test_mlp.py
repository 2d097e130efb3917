import numpy as np
import pytest

from micrograde.nn import (
    MLP,
    ActivationLayer,
    BatchNormalization,
    LinearLayer,
    initial_weights,
    make_activation,
    one_hot,
)


def stack(replicas=2, **options):
    return MLP(4, [5, 3], 2, generators=[np.random.default_rng(r) for r in range(replicas)], **options)


def test_every_parameter_is_a_view_into_the_one_buffer():
    model = stack()
    assert model.parameters.shape == (2, model.layout.size)
    for name in model.layout.names:
        layer, array = name.split(".")
        value, slope = getattr(model.layers[layer], array), getattr(model.layers[layer], f"grad_{array}")
        assert np.shares_memory(value, model.parameters)
        assert np.shares_memory(slope, model.gradients)
    model.parameters[...] = 7
    assert (model.layer1.weights == 7).all()
    assert (model.batchnorm2.gamma == 7).all()
    assert model.layout.size == 4 * 5 + 5 + 10 + 5 * 3 + 3 + 6 + 3 * 2 + 2 + 4


def test_the_inner_loop_allocates_no_arrays():
    import tracemalloc

    model = stack(dtype="float32", loss_epsilon=0.0)
    x, targets = np.ones((2, 4096, 4), np.float32), one_hot(np.zeros((2, 4096), int), 2, "float32")
    for _ in range(3):
        model.forward(x, targets)
        model.backward()
    tracemalloc.start()
    for _ in range(20):
        model.forward(x, targets)
        model.backward()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < x.nbytes  # one activation of one layer would be as large


def test_state_round_trip_and_what_does_not_fit():
    model, other = stack(), MLP(4, [5, 3], 2, generators=[np.random.default_rng(9)] * 2)
    model.forward(np.random.default_rng(0).normal(size=(6, 4)), one_hot(np.zeros(6, int), 2))
    other.load_state(model.state())
    assert other.parameters.tobytes() == model.parameters.tobytes()
    assert other.statistics.tobytes() == model.statistics.tobytes()
    state = model.state()
    state["layer1.weights"][...] = 0
    assert model.layer1.weights.any()
    with pytest.raises(ValueError, match=r"layer1.weights has shape \(2, 4, 5\), the state's is \(1,\)"):
        model.load_state({**state, "layer1.weights": np.zeros(1)})
    del state["layer1.weights"]
    with pytest.raises(ValueError, match="lacks"):
        model.load_state(state)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 5, 2), "input_size must be an integer of at least 1, got 0"),
        ((3, [4, 0], 2), "hidden_size must be an integer of at least 1, got 0"),
        ((3, 5, -1), "output_size must be an integer of at least 1, got -1"),
        ((3, 2.5, 2), "hidden_size must be an integer of at least 1, got 2.5"),
        ((True, 5, 2), "input_size must be an integer of at least 1, got True"),
    ],
)
def test_wrong_sizes_fail_at_construction(arguments, message):
    with pytest.raises(ValueError, match=message):
        MLP(*arguments)


def test_wrong_names_and_dtypes_fail_at_construction():
    with pytest.raises(
        ValueError, match=r"activation must be one of elu, gelu, gelu_tanh, .*, tanh, got 'swish'"
    ):
        MLP(3, 5, 2, activation="swish")
    with pytest.raises(
        ValueError, match="initializer must be one of kaiming, lecun, normal, orthogonal, xavier, got 'zero'"
    ):
        MLP(3, 5, 2, initializer="zero")
    with pytest.raises(ValueError, match="dtype must be float32 or float64, got int64"):
        MLP(3, 5, 2, dtype=int)
    with pytest.raises(ValueError, match="at least one generator"):
        MLP(3, 5, 2, generators=[])


def test_wrong_shapes_fail_at_the_call_with_the_shapes():
    model = stack()
    targets = one_hot(np.zeros(6, int), 2)
    with pytest.raises(ValueError, match=r"expected a batch of shape \(N, 4\) or \(2, N, 4\), got \(6, 3\)"):
        model.forward(np.zeros((6, 3)), targets)
    with pytest.raises(ValueError, match=r"got \(3, 6, 4\)"):
        model.forward(np.zeros((3, 6, 4)), targets)
    with pytest.raises(ValueError, match=r"got \(4,\)"):
        model.predict_logits(np.zeros(4))
    with pytest.raises(ValueError, match=r"targets \(5, 2\) do not fit predictions \(2, 6, 2\)"):
        model.forward(np.zeros((6, 4)), targets[:5])
    with pytest.raises(ValueError, match="without rows"):
        model.forward(np.zeros((0, 4)), targets[:0])


def test_initial_weights_have_the_variance_their_papers_ask_for():
    random = np.random.default_rng(0)
    assert initial_weights("normal", 300, 200, random).std() == pytest.approx(0.01, rel=0.02)
    assert initial_weights("xavier", 300, 200, random).var() == pytest.approx(2 / 500, rel=0.02)
    assert initial_weights("kaiming", 300, 200, random).var() == pytest.approx(2 / 300, rel=0.02)
    assert initial_weights("lecun", 300, 200, random).var() == pytest.approx(1 / 300, rel=0.02)


@pytest.mark.parametrize(("inputs", "outputs"), [(7, 4), (4, 7), (5, 5), (1, 3), (3, 1), (1, 1)])
def test_orthogonal_weights_keep_lengths(inputs, outputs):
    weights = initial_weights("orthogonal", inputs, outputs, np.random.default_rng(0))
    product = weights.T @ weights if inputs >= outputs else weights @ weights.T
    np.testing.assert_allclose(product, np.eye(min(inputs, outputs)), atol=1e-14)


def test_orthogonal_weights_point_in_every_direction():
    signs = [initial_weights("orthogonal", 1, 1, np.random.default_rng(seed))[0, 0] for seed in range(40)]
    assert {-1.0, 1.0} == set(signs)


@pytest.mark.parametrize("name", ["tanh", "relu", "sigmoid"])
def test_activations_do_not_overflow(name):
    activation = make_activation(name)
    x = np.array([[-1e4, -1.0, 0.0, 1.0, 1e4]])
    with np.errstate(over="ignore"):
        expected = {"tanh": np.tanh(x), "relu": np.maximum(x, 0), "sigmoid": 1 / (1 + np.exp(-x))}
    np.testing.assert_allclose(activation.value(x), expected[name], atol=1e-15)
    layer = ActivationLayer(activation)
    np.testing.assert_array_equal(layer.evaluate(x), layer.forward(x))


def test_biases_before_batch_norm_are_left_out_of_the_sum_but_not_of_the_running_mean():
    random = np.random.default_rng(0)
    model, x = stack(loss_epsilon=0.0), random.standard_normal((2, 9, 4))
    targets = one_hot(random.integers(0, 2, (2, 9)), 2)
    for name, array in model.layout.views(model.parameters).items():
        if name.endswith("biases"):
            array[...] = random.standard_normal(array.shape)
    # The same layers one by one, each as it stands in the books.
    out, expected = x, model.statistics.copy()
    for name, layer in model.layers.items():
        if isinstance(layer, LinearLayer):
            out = out @ layer.weights + layer.biases[:, None]
        elif isinstance(layer, BatchNormalization):
            mean, var = out.mean(axis=1), out.var(axis=1)
            running = model.statistics_layout.views(expected)
            running[f"{name}.running_mean"][...] = 0.1 * mean
            running[f"{name}.running_var"][...] = 0.9 + 0.1 * var * 9 / 8
            out = (out - mean[:, None]) / np.sqrt(var + 1e-5)[:, None]
        else:
            out = layer.evaluate(out)
    model.forward(x, targets)
    np.testing.assert_allclose(model.logits, out, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(model.statistics, expected, rtol=1e-12)
    model.backward()
    for name, gradient in model.layout.views(model.gradients).items():
        assert gradient.any() != name.endswith("biases")
