"""A trained network with its preprocessing: on disk, as MLflow serves it, as ONNX."""
