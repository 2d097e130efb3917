"""A run's model as MLflow serves it; named in the model's MLmodel file as its loader.

MLflow imports this module and gives it the folder that the model was kept in. Nothing is unpickled.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograde.core.errors import InputError
from micrograde.models.trained_network import TrainedNetwork, read_network

if TYPE_CHECKING:
    import pandas
    from numpy.typing import NDArray


class ServedModel:
    """What ``mlflow.pyfunc`` calls."""

    def __init__(self, network: TrainedNetwork) -> None:
        self.network = network

    def predict(
        self,
        model_input: "pandas.DataFrame | NDArray[Any]",
        params: dict[str, Any] | None = None,  # noqa: ARG002 (MLflow's)
    ) -> "pandas.DataFrame":
        """See ``TrainedNetwork.predict``; what is wrong with the rows is an error that a server tells."""
        from mlflow.exceptions import MlflowException

        try:
            return self.network.predict(model_input)
        except InputError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from None


def _load_pyfunc(path: str) -> ServedModel:
    """The name is MLflow's."""
    return ServedModel(read_network(Path(path)))
