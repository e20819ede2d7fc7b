"""What the snapshots of the models contain, beside how well they fit."""

from __future__ import annotations

from collections.abc import Mapping

from shortrange.analyse.analysis import Analysis, Part, analyse_trajectory
from shortrange.errors import ShortrangeError
from shortrange.quantities import Trajectory

__all__ = ["analyse_models"]

_PARTS: tuple[Part, ...] = ("coordination", "connectivity", "csm")


def analyse_models(models: Mapping[str, Trajectory]) -> dict[str, Analysis | str]:
    """Coordination, connectivity and shape measures of each model, as far as it has them.

    Parameters
    ----------
    models
        Snapshots, by name.

    Returns
    -------
    dict
        By name: the analysis, or the sentence that says why there is none. A verdict does not fail because
        of it.
    """
    out: dict[str, Analysis | str] = {}
    for name, trajectory in models.items():
        try:
            out[name] = analyse_trajectory(trajectory, only=_PARTS, strict=False)
        except ShortrangeError as error:
            out[name] = str(error)
    return out
