"""Simulated two-phase data: nickel and nickel oxide, with noise as white F(Q) noise makes it."""

import numpy as np

from shortrange.crystal import Crystal
from shortrange.fit.fractions import mass_weights
from shortrange.quantities import GR
from shortrange.simulate.crystal_gr import crystal_pdf

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


def composite(fade: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """G on ``R`` of 0.65 nickel and 0.35 oxide (scales) that fades along ``r``, and the oxide's mass share.

    Order fades first; form factors and the ends of F(Q) come afterwards, as in an experiment.
    """
    q = np.arange(0.005, Q_MAX, 0.01)
    f, models = np.zeros(q.size), {"Ni": nickel(), "NiO": oxide()}
    models = {name: crystal_pdf(crystal, r_max=44.0) for name, crystal in models.items()}
    for (name, model), scale in zip(models.items(), (0.65, 0.35), strict=True):
        points = np.arange(1, 1400) * 0.03
        window = model.on(points, model.tables(points, q_max=Q_MAX), active=())
        h = window.density(np.array([*model.start[:-1], Q_DAMP]))[:, 0]
        h = h if name == "Ni" else h * np.interp(window.grid, r, fade)
        transform = np.sin(np.outer(q, window.grid)) * (window.grid[1] - window.grid[0])
        f += scale * np.sum(model.pair_weights(q).T * (transform @ h.T), axis=1)
    masses = mass_weights(models) * np.array([0.65, 0.35])
    return 2 / np.pi * 0.01 * np.sin(np.outer(R, q)) @ f, masses[1] * fade / (masses[0] + masses[1] * fade)


def measured(g: np.ndarray, *, sigma: float, seed: int) -> GR:
    noise = white_noise(np.random.default_rng(seed), R, sigma)
    return GR(r=R, g=g + noise, sigma=np.full(R.size, sigma), q_min=0.0, q_max=Q_MAX, q_damp=Q_DAMP,
              label="simulated")  # fmt: skip
