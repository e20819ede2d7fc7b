"""The kinds of scattering paths whose shape has at most three parameters, and their grids of shapes."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.simulate.feff_paths import FeffPath

__all__ = ["ANGLE_STEP", "FAMILIES", "GRID_FIRST", "GRID_RATIO", "N_ANGLES", "RADIAL_STEP", "Family"]

Array = NDArray[Any]

RADIAL_STEP = 0.1  # angstrom, of families with one distance: cubic splines meet FEFF to 4e-6
GRID_FIRST, GRID_RATIO = 0.5, 1.12  # distances of the other families: 0.5 * 1.12**i angstrom
ANGLE_STEP = 10.0  # degrees
N_ANGLES = round(180.0 / ANGLE_STEP) + 1


@dataclass(frozen=True, slots=True)
class Family:
    """Paths of one topology: 0 is the absorber, 1 and 2 are atoms around it.

    Attributes
    ----------
    name
        Topology.
    word
        How contributions of this kind are called.
    order
        Atoms in the order they are visited between leaving and coming back.
    symmetric
        Whether exchanging atoms 1 and 2 exchanges the two lengths of the shape and nothing else.
    time_reversed
        Whether the path run backwards is another path: it then counts twice.
    """

    name: str
    word: str
    order: tuple[int, ...]
    symmetric: bool = False
    time_reversed: bool = False

    @property
    def radial(self) -> bool:
        """Whether the shape is one distance."""
        return 2 not in self.order

    def path(self, kinds: tuple[int, int], node: tuple[int, ...]) -> FeffPath:
        """Path of the shape ``node`` (grid indices) over potentials ``kinds``."""
        places = _places(self.name, node)
        ipots = (0, *kinds)
        return FeffPath(tuple(ipots[i] for i in self.order), tuple(places[i] for i in self.order))

    def legs(self, node: tuple[int, ...]) -> tuple[float, float]:
        """Half the path length (angstrom) and the product of all leg lengths of a node."""
        places = _places(self.name, node)
        stops = [places[i] for i in (0, *self.order, 0)]
        lengths = [math.dist(a, b) for a, b in itertools.pairwise(stops)]
        return sum(lengths) / 2.0, math.prod(lengths)

    def label(self, absorber: str, first: str, second: str) -> str:
        """Name of the contribution of this family over two elements."""
        if self.name == "single":
            return f"{absorber}-{first}"
        if self.name == "bounce":
            return f"{absorber}-{first} {self.word}"
        if self.name == "hinge":
            return f"{first}-{absorber}-{second} {self.word}"
        if self.word == "triangle":
            first, second = sorted((first, second))
        return f"{absorber}-{first}-{second} {self.word}"


def _places(name: str, node: tuple[int, ...]) -> tuple[tuple[float, float, float], ...]:
    """Positions of atoms 0, 1, 2 of a node: two legs and the angle between them."""
    origin = (0.0, 0.0, 0.0)
    if len(node) == 1:
        return origin, (0.0, 0.0, RADIAL_STEP * node[0]), origin
    # The angle is at the absorber, or at atom 1 for legs 0-1 and 1-2.
    r1, r2 = (GRID_FIRST * GRID_RATIO**i for i in node[:2])
    angle = np.radians(ANGLE_STEP * node[2])
    across, along = float(r2 * np.sin(angle)), float(r2 * np.cos(angle))
    second = (across, 0.0, r1 - along) if name in ("dogleg", "bent") else (across, 0.0, along)
    return origin, (0.0, 0.0, r1), second


FAMILIES = {
    "single": Family("single", "single scattering", (1,)),
    "bounce": Family("bounce", "bounce", (1, 0, 1)),
    "triangle": Family("triangle", "triangle", (1, 2), symmetric=True, time_reversed=True),
    "bent": Family("bent", "triangle", (1, 2), time_reversed=True),
    "hinge": Family("hinge", "hinge", (1, 0, 2), symmetric=True, time_reversed=True),
    "dogleg": Family("dogleg", "dogleg", (1, 2, 1)),
}
"""Single scattering 0-1-0; 0-1-0-1-0; 0-1-2-0; through the absorber 0-1-0-2-0; 0-1-2-1-0.

Three-leg paths 0-1-2-0 are described at their largest angle, ``triangle`` if that is at the absorber and
``bent`` if it is at an atom (then called 1). Described at a small angle, grid points around an actual shape
may have two atoms on top of each other, where amplitudes diverge.
"""
