"""The notebook's promise: its cells run on micrograde's names and print what they printed."""

import contextlib
import io
from typing import Any

CELLS = """
import numpy as np
from micrograde import MLP, calculate_accuracy

np.random.seed(0)
X = np.random.randn(10, 3)  # 10 samples, 3 features
y = np.zeros((10, 2))       # Binary classification (2 output classes)
y[np.arange(10), np.random.randint(0, 2, size=10)] = 1  # One-hot encoding for targets

# Create the MLP
mlp = MLP(input_size=3, hidden_size=5, output_size=2)

# Forward pass
loss = mlp.forward(X, y)

# Calculate predictions and accuracy
predictions = mlp.layer2.output  # Output layer activations
accuracy = calculate_accuracy(predictions, y)

# Backward pass
mlp.backward()

# Output the loss, gradients, and accuracy
print("Loss:", loss)
print("Gradient of first layer weights:\\n", mlp.layer1.grad_weights)
print("Accuracy:", accuracy, "%")
"""

PRINTED = """\
Loss: 0.9381647656067867
Gradient of first layer weights:
 [[  3.04320263  -2.24298385  -1.39316963  -5.66049313   8.20292955]
 [  3.49245225  -2.98273095   0.46860402  -2.5291769   -1.29853867]
 [-10.3840303   -9.84227041  -1.41877909  -4.45135564 -11.42525166]]
Accuracy: 60.0 %
"""

TRAINING_CELL = """
learning_rate = 0.01
for epoch in range(10):
    loss = mlp.forward(X, y)
    mlp.backward()
    mlp.layer1.weights -= learning_rate * mlp.layer1.grad_weights
    mlp.layer1.biases -= learning_rate * mlp.layer1.grad_biases
    mlp.layer2.weights -= learning_rate * mlp.layer2.grad_weights
    mlp.layer2.biases -= learning_rate * mlp.layer2.grad_biases
"""


def test_the_cells_print_what_they_printed():
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(CELLS, {})
    assert printed.getvalue() == PRINTED


def test_the_training_cell_trains():
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(CELLS, names)
    exec(TRAINING_CELL, names)
    assert names["loss"] < 0.9
