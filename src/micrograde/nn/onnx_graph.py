"""What an entry's ONNX rule may add to a graph; ``micrograde.models.onnx_export`` implements it."""

from typing import Any, Protocol


class OnnxGraph(Protocol):
    """An ONNX graph under construction."""

    def node(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add an operator of opset 19 and return the name of its output."""

    def constant(self, name: str, value: Any) -> str:
        """Add an array as it is, with its dtype, and return its name."""

    def number(self, value: float) -> str:
        """Add a number in the network's dtype and return its name."""
