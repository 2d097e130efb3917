"""A trained network with its preprocessing: saved to disk, loaded again, and exported to ONNX."""
