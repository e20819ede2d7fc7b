"""Positions of octahedra that share ligands. No elements, no checks: see `shortrange.simulate.motifs.build`.

Every function returns positions in angstrom: metals, then bridging atoms, then terminal ligands.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["corner", "edge", "face", "octahedron", "off_centre"]

Array = NDArray[Any]

_AXES = np.concatenate([np.eye(3), -np.eye(3)])[[0, 3, 1, 4, 2, 5]]


def octahedron(distances: Array) -> Array:
    """Metal at the origin and six ligands on the axes +x, -x, +y, -y, +z, -z, shape (7, 3).

    Parameters
    ----------
    distances
        From the metal, angstrom, shape (6,).
    """
    return np.vstack([np.zeros(3), distances[:, None] * _AXES])


def corner(bridge: float, angle: float, *, cis: float, trans: float, twists: tuple[float, float]) -> Array:
    r"""Two octahedra that share one atom, which is at the origin; shape (13, 3).

    The metals lie in the plane z = 0, symmetric about y, at :math:`d_{MM} = 2 d \sin(\alpha/2)`.

    Parameters
    ----------
    bridge
        Distance d from each metal to the shared atom, angstrom.
    angle
        At the shared atom, radians.
    cis, trans
        Distances of the terminal ligands beside and opposite the shared atom, angstrom.
    twists
        Rotation of each octahedron about its bond to the shared atom, radians; at 0 one terminal ligand of
        each lies in the plane of the bridge, on its inner side. The senses mirror each other.
    """
    metals, ligands = [], []
    for side, twist in zip((-1.0, 1.0), twists, strict=True):
        out = np.array([side * np.sin(angle / 2), -np.cos(angle / 2), 0.0])
        inner = np.array([-side * np.cos(angle / 2), -np.sin(angle / 2), 0.0])
        metal = bridge * out
        around = twist + np.pi / 2 * np.arange(4)
        rays = np.cos(around)[:, None] * inner + np.sin(around)[:, None] * np.array([0.0, 0.0, 1.0])
        metals.append(metal)
        ligands += [metal + trans * out, *(metal + cis * rays)]
    return np.vstack([metals, np.zeros(3), ligands])


def edge(metal_metal: float, bridges: tuple[float, float], *, terminal: float) -> Array:
    r"""Two octahedra that share two atoms; shape (12, 3).

    Metals on x at :math:`\pm d_{MM}/2`, shared atoms on y at :math:`\pm\sqrt{d_i^2 - d_{MM}^2/4}`. The
    terminal ligands keep the directions of a regular octahedron: two along z, two in the plane of the
    bridges at 45 degrees to x.

    Parameters
    ----------
    metal_metal
        angstrom.
    bridges
        Distance of the metals to each shared atom, angstrom.
    terminal
        Distance of the terminal ligands, angstrom.
    """
    half = metal_metal / 2
    heights = np.sqrt(np.square(bridges) - half**2)
    shared = np.array([[0.0, heights[0], 0.0], [0.0, -heights[1], 0.0]])
    metals = np.array([[-half, 0.0, 0.0], [half, 0.0, 0.0]])
    slant = np.sqrt(0.5)
    ligands = []
    for side, metal in zip((-1.0, 1.0), metals, strict=True):
        rays = np.array(
            [[side * slant, slant, 0.0], [side * slant, -slant, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]
        )
        ligands += list(metal + terminal * rays)
    return np.vstack([metals, shared, ligands])


def face(metal_metal: float, bridges: tuple[float, float, float], *, terminal: float) -> Array:
    r"""Two octahedra that share three atoms; shape (11, 3).

    Metals on z at :math:`\pm d_{MM}/2`, shared atoms around the middle at the radii
    :math:`\sqrt{d_i^2 - d_{MM}^2/4}`, 120 degrees apart. The terminal ligands keep the directions of a
    regular octahedron, staggered to the shared atoms.

    Parameters
    ----------
    metal_metal
        angstrom.
    bridges
        Distance of the metals to each shared atom, angstrom.
    terminal
        Distance of the terminal ligands, angstrom.
    """
    half = metal_metal / 2
    radii = np.sqrt(np.square(bridges) - half**2)
    turns = 2 * np.pi / 3 * np.arange(3)
    shared = np.column_stack([radii * np.cos(turns), radii * np.sin(turns), np.zeros(3)])
    metals = np.array([[0.0, 0.0, half], [0.0, 0.0, -half]])
    across, along = np.sqrt(2 / 3), np.sqrt(1 / 3)
    staggered = turns + np.pi / 3
    ligands = []
    for side, metal in zip((1.0, -1.0), metals, strict=True):
        rays = np.column_stack(
            [across * np.cos(staggered), across * np.sin(staggered), np.full(3, side * along)]
        )
        ligands += list(metal + terminal * rays)
    return np.vstack([metals, shared, ligands])


def off_centre(
    positions: Array, metal: int, ligands: Array, *, axis: Array, distance: float, keep_lengths: bool
) -> Array:
    r"""Ligands about a metal that has moved away from their centre; the metal keeps its place, shape (n, 3).

    From the metal a ligand is then seen at :math:`\mathbf{r} - d\,\hat{\mathbf{a}}`. Where bonds keep their
    lengths, only this direction is taken over: the ligands lean against the motion.

    Parameters
    ----------
    positions
        Of all atoms, angstrom, shape (n, 3).
    metal, ligands
        Index of the metal, and of the ligands that it leaves behind.
    axis
        Where the metal moves, shape (3,), of any length.
    distance
        d, angstrom.
    keep_lengths
        Whether bonds keep their lengths, or become what the motion makes of them.
    """
    rays = positions[ligands] - positions[metal]
    seen = rays - distance * axis / np.linalg.norm(axis)
    if keep_lengths:
        seen *= (np.linalg.norm(rays, axis=1) / np.linalg.norm(seen, axis=1))[:, None]
    moved = positions.copy()
    moved[ligands] = positions[metal] + seen
    return moved
