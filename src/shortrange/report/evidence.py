"""Where the evidence comes from, read from the record: which places of the data speak for which model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Advantage", "advantages"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Advantage:
    """Evidence of the leading model over the others along one axis of one measurement.

    Attributes
    ----------
    axis
        ``"k"``, ``"R"``, ``"r"`` or ``"Q"``.
    centres
        Places, shape (m,); 1/angstrom or angstrom.
    nats
        By the name of the other model: how much the leading one gains on it at each place, shape (m,).
    """

    axis: str
    centres: Array
    nats: Mapping[str, Array]

    @property
    def bar_width(self) -> float:
        """Width of a bar of one model, where those of all stand side by side at each place."""
        gaps = np.diff(self.centres)
        return 0.8 * (float(np.median(gaps)) if gaps.size else 1.0) / len(self.nats)


def advantages(record: Mapping[str, Any], measurement: str) -> list[Advantage]:
    """Return the evidence by place that a record holds of a measurement; nothing if it holds none.

    Models that were compared in other places than the leading one (a mixture) are left out.
    """
    models: Sequence[Mapping[str, Any]] = record.get("models", ())
    found = [
        (model["name"], model["fits"].get(measurement, {}).get("evidence_by_place", {})) for model in models
    ]
    if not found:
        return []
    lead = found[0][1]
    out = []
    for axis, places in lead.items():
        centres = np.asarray(places["centres"], dtype=float)
        nats = np.asarray(places["nats"], dtype=float)
        others = {
            name: nats - np.asarray(other[axis]["nats"], dtype=float)
            for name, other in found[1:]
            if axis in other and len(other[axis]["nats"]) == nats.size
        }
        if others and nats.size:
            out.append(Advantage(axis=axis, centres=centres, nats=others))
    return out
