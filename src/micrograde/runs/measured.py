"""Which metrics a run measures: whoever ranks runs by another one is told before they are trained."""

from micrograde.config.schema import TrainConfig
from micrograde.core.errors import InputError
from micrograde.metrics import PARTS
from micrograde.runs.building import PreparedData
from micrograde.store.metric_names import plain_name

_ALWAYS = ("train/initial_loss", "gradient_norm", "gradient_check")
_PARTS = {"val": "validation", "test": "test"}


def check_measured(metric: str, config: TrainConfig, data: PreparedData, key: str = "sweep.metric") -> None:
    """Raise ``InputError`` if the run will not measure this metric, which ``key`` asks for.

    Measures of single layers, such as ``activation/layer3.std``, are known from their group alone.
    """
    plain = plain_name(metric)
    group, _, name = plain.partition("/")
    if plain in _ALWAYS or group in _ALWAYS:
        return
    if group not in PARTS or plain == "train/learning_rate":
        if not config.training.diagnostics:
            raise InputError(f"{key}={metric}: is not measured; set training.diagnostics=true")
        return
    if (group == "val" and data.validation is None) or (group == "test" and data.test is None):
        raise InputError(
            f"{key}={metric}: needs a {_PARTS[group]} part; set data.{_PARTS[group]}_fraction=0.1, say"
        )
    if name not in ("loss", *config.training.metrics):
        wanted = ",".join([*config.training.metrics, name])
        raise InputError(f"{key}={metric}: is not measured; set training.metrics=[{wanted}]")
