"""PyTorch's counterpart of each entry that is compared with it; ``torch`` is given, so that the list needs none.

tests/test_entries.py asks that no entry is missing here.
"""

ACTIVATIONS = {
    "elu": lambda torch: torch.nn.ELU(),
    "gelu": lambda torch: torch.nn.GELU(),
    "gelu_tanh": lambda torch: torch.nn.GELU(approximate="tanh"),
    "leaky_relu": lambda torch: torch.nn.LeakyReLU(),
    "relu": lambda torch: torch.nn.ReLU(),
    "sigmoid": lambda torch: torch.nn.Sigmoid(),
    "silu": lambda torch: torch.nn.SiLU(),
    "tanh": lambda torch: torch.nn.Tanh(),
}
NORMALIZATIONS = {"batch_norm": lambda torch, features: torch.nn.BatchNorm1d(features)}
LOSSES = {
    "binary_cross_entropy": lambda torch: torch.nn.BCEWithLogitsLoss(),
    "cross_entropy": lambda torch: torch.nn.CrossEntropyLoss(),
    "huber": lambda torch: torch.nn.HuberLoss(),
    "mae": lambda torch: torch.nn.L1Loss(),
    "mse": lambda torch: torch.nn.MSELoss(),
}
INITIALIZERS = {  # of 300 inputs; where PyTorch has none, the paper's formula
    "kaiming": lambda torch, weights: torch.nn.init.kaiming_normal_(weights, nonlinearity="relu"),
    "lecun": lambda torch, weights: torch.nn.init.normal_(weights, std=300**-0.5),
    "normal": lambda torch, weights: torch.nn.init.normal_(weights, std=0.01),
    "orthogonal": lambda torch, weights: torch.nn.init.orthogonal_(weights),
    "xavier": lambda torch, weights: torch.nn.init.xavier_uniform_(weights),
}
