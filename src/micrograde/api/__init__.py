"""Python's side: ``run``, ``sweep`` and what they return, and the scikit-learn estimator."""
