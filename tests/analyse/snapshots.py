"""Made-up snapshots whose answers are known."""

import numpy as np

from shortrange.quantities import Trajectory

OCTAHEDRON = np.vstack([np.eye(3), -np.eye(3)])


def frames(species, positions, *, cell=None, n=1, **more):
    positions = np.asarray(positions, dtype=float)
    if positions.ndim == 2:
        positions = np.repeat(positions[None], n, axis=0)
    cells = None
    if cell is not None:
        lattice = np.diag(cell) if np.ndim(cell) == 1 else np.asarray(cell)
        cells = np.repeat(lattice[None], len(positions), axis=0)
    return Trajectory(species=tuple(species), positions=positions, cells=cells, label="made up", **more)


def dimer(shared, *, bond=2.4, bridge="Cl"):
    """Two MCl6 octahedra that share one, two or three ligands; species and positions about the middle."""
    first = bond * OCTAHEDRON
    # Mirror the first octahedron in the plane of the shared vertices.
    chosen = {1: [0], 2: [0, 1], 3: [0, 1, 2]}[shared]
    normal = first[chosen].sum(axis=0)
    normal /= np.linalg.norm(normal)
    offset = first[chosen[0]] @ normal
    second_centre = 2 * offset * normal
    mirrored = first - 2 * ((first @ normal) - offset)[:, None] * normal
    keep = [k for k in range(6) if k not in chosen]
    ligands = [bridge if k in chosen else "Cl" for k in range(6)]
    species = ["Ta", *ligands, "Ta", *["Cl"] * len(keep)]
    return species, np.vstack([np.zeros(3), first, second_centre, mirrored[keep]])


def brownian(n_frames, n_atoms, d, *, step=1.0, seed=0, length=12.0, species=None, wrap=True):
    """Free diffusion with D in angstrom^2/fs, folded into a cube."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(scale=np.sqrt(2 * d * step), size=(n_frames, n_atoms, 3))
    moves[0] = rng.uniform(0, length, (n_atoms, 3))
    positions = np.cumsum(moves, axis=0)
    if not wrap:
        return frames(species or ["Na"] * n_atoms, positions, time_step=step)
    return frames(species or ["Na"] * n_atoms, positions % length, cell=[length] * 3, time_step=step)
