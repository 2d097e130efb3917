"""Measurements of a network while it trains, and findings: what stands out in them at the end.

The functions read a trained network and its trajectory; none of them changes what training computes.
"""

from micrograde.diagnostics.boundary import Boundary, decision_boundary
from micrograde.diagnostics.distributions import Distributions, distributions
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements, find_findings
from micrograde.diagnostics.layers import Diagnostics
from micrograde.diagnostics.loss_surface import LossSurface, loss_surface
from micrograde.diagnostics.partial_dependence import PartialDependence, partial_dependence, values_to_try
from micrograde.diagnostics.permutation_importance import Estimates, Importances, measure_importances
from micrograde.diagnostics.trajectory import Trajectory, TrajectoryKeeper

__all__ = [
    "FINDINGS",
    "Boundary",
    "Diagnostics",
    "Distributions",
    "Estimates",
    "Finding",
    "Importances",
    "LossSurface",
    "Measurements",
    "PartialDependence",
    "Trajectory",
    "TrajectoryKeeper",
    "decision_boundary",
    "distributions",
    "find_findings",
    "loss_surface",
    "measure_importances",
    "partial_dependence",
    "values_to_try",
]
