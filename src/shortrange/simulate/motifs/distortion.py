"""Metals that are not in the centre of their ligands: in which direction, how far, and what that moves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError
from shortrange.simulate.motifs.geometry import off_centre

__all__ = ["OFF_CENTRE", "given_distortion", "lean_from_bridge", "off_centre_octahedron"]

Array = NDArray[Any]

OFF_CENTRE = 0.6
"""Farthest that a metal may be from the centre of its ligands, angstrom; relaxed units reach 0.25."""


def given_distortion(distance: float | None, *, signed: bool) -> dict[str, float]:
    """Return the displacement of the metal under its name; nothing where none is asked for.

    Parameters
    ----------
    distance
        angstrom.
    signed
        Whether the two directions along the axis differ.

    Raises
    ------
    SimulationError
        If it is out of range.
    """
    if distance is None:
        return {}
    lowest = -OFF_CENTRE if signed else 0.0
    if not lowest <= distance <= OFF_CENTRE:
        raise SimulationError(
            f"the metal is displaced by {distance:g} angstrom",
            where="motif, distortion",
            do=f"give {lowest:g} to {OFF_CENTRE:g} angstrom",
        )
    return {"distortion": float(distance)}


def off_centre_octahedron(positions: Array, *, substituted: bool, distortion: float | None = None) -> Array:
    r"""Move the metal of an octahedron along a threefold axis, or towards its substitute.

    Along the axis three bonds of length L become :math:`\sqrt{L^2 - 2 L d/\sqrt 3 + d^2}`, three as with -d.
    Towards a substitute all bonds keep their lengths, and the other ligands lean away from it.

    Parameters
    ----------
    positions
        Metal and six ligands, the substitute first, angstrom, shape (7, 3).
    substituted
        Whether the first ligand is a substitute.
    distortion
        Displacement, angstrom; None leaves all as it is.
    """
    if distortion is None:
        return positions
    axis = positions[1] if substituted else np.ones(3)
    others = np.arange(2 if substituted else 1, 7)
    return off_centre(positions, 0, others, axis=axis, distance=distortion, keep_lengths=substituted)


def lean_from_bridge(positions: Array, *, n_shared: int, distortion: float | None = None) -> Array:
    """Move both metals away from the shared atoms: bonds keep their lengths, terminal ligands lean inwards.

    Parameters
    ----------
    positions
        Two metals, the shared atoms, and the terminal ligands of each, angstrom, shape (n, 3).
    n_shared
        Number of shared atoms.
    distortion
        Displacement, angstrom; None leaves all as it is.
    """
    if distortion is None:
        return positions
    n_own = 6 - n_shared
    bridge = positions[2 : 2 + n_shared].mean(axis=0)
    for metal in (0, 1):
        own = 2 + n_shared + metal * n_own + np.arange(n_own)
        axis = positions[metal] - bridge
        positions = off_centre(positions, metal, own, axis=axis, distance=distortion, keep_lengths=True)
    return positions
