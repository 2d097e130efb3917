"""The loader that a model's MLmodel file names: it gives MLflow a run's model.

MLflow imports this module and passes the folder in which the model is stored. Nothing is unpickled.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograde.core.errors import InputError
from micrograde.models.ensemble import read_model
from micrograde.models.trained_network import TrainedNetwork

if TYPE_CHECKING:
    import pandas
    from numpy.typing import NDArray


class ServedModel:
    """A model with the ``predict`` method that ``mlflow.pyfunc`` calls."""

    def __init__(self, network: TrainedNetwork) -> None:
        self.network = network

    def predict(
        self,
        model_input: "pandas.DataFrame | NDArray[Any]",
        params: dict[str, Any] | None = None,  # noqa: ARG002 (MLflow's)
    ) -> "pandas.DataFrame":
        """Return ``TrainedNetwork.predict`` of the rows; raise ``MlflowException`` if they are invalid."""
        from mlflow.exceptions import MlflowException

        try:
            return self.network.predict(model_input)
        except InputError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from None


def _load_pyfunc(path: str) -> ServedModel:
    """Read the model in the folder ``path``; MLflow calls this function by its name."""
    return ServedModel(read_model(Path(path)))
