"""Simulated two-phase data: nickel and nickel oxide, with noise as white F(Q) noise makes it."""

import numpy as np

from shortrange.crystal import Crystal

FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
Q_MAX, Q_DAMP = 24.0, 0.03
R = np.arange(1, 2701) * 0.01


def cubic(a: float, species: tuple[str, ...], positions: np.ndarray, u_iso: float) -> Crystal:
    n = len(species)
    return Crystal(
        lattice=(a, a, a, 90, 90, 90), species=species, positions=positions, occupancies=np.ones(n),
        u_iso=np.full(n, u_iso), system="cubic", label=species[0],
    )  # fmt: skip


def nickel(a: float = 3.53, u_iso: float = 0.005) -> Crystal:
    return cubic(a, ("Ni",) * 4, FCC, u_iso)


def oxide(a: float = 4.185, u_iso: float = 0.007) -> Crystal:
    return cubic(a, ("Ni",) * 4 + ("O",) * 4, np.vstack([FCC, FCC + 0.5]), u_iso)


def white_noise(rng: np.random.Generator, r: np.ndarray, sigma: float) -> np.ndarray:
    q = np.arange(np.pi / 40, Q_MAX, np.pi / 40)
    return np.sin(np.outer(r, q)) @ rng.normal(0, sigma * np.sqrt(2 / q.size), q.size)
