"""A run's model as MLflow serves it; named in the model's MLmodel file as its loader.

MLflow imports this module and gives it the folder that the model was kept in. Nothing is unpickled.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograde.core.errors import InputError
from micrograde.models.trained_network import Classifier, read_classifier

if TYPE_CHECKING:
    import pandas
    from numpy.typing import NDArray


class ServedModel:
    """What ``mlflow.pyfunc`` calls."""

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier

    def predict(
        self,
        model_input: "pandas.DataFrame | NDArray[Any]",
        params: dict[str, Any] | None = None,  # noqa: ARG002 (MLflow's)
    ) -> "pandas.DataFrame":
        """See ``Classifier.predict``; what is wrong with the rows is an error that a server tells."""
        from mlflow.exceptions import MlflowException

        try:
            return self.classifier.predict(model_input)
        except InputError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from None


def _load_pyfunc(path: str) -> ServedModel:
    """The name is MLflow's."""
    return ServedModel(read_classifier(Path(path)))
