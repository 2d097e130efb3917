"""The Python interface: ``run``, ``sweep`` and the objects they return, and the scikit-learn estimator."""
