"""A TaCl6-like cluster with two ligands, its paths by FEFF8L, and chi(k) made from them."""

from functools import cache

import numpy as np

from shortrange.fit.paths import DataSet, FitParameter, FitPath, FitRange
from shortrange.quantities import ChiK
from shortrange.simulate.feff import Cluster
from shortrange.simulate.paths import path_chi, paths_of_cluster

AXES = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1.0]])
TRUTH = {"amp": 0.9, "e0": 3.0, "dr_cl": 0.02, "dr_s": -0.03, "ss": 0.005}
K = 0.05 * np.arange(321)


def cluster():
    lengths = np.array([2.32, 2.32, 2.32, 2.32, 2.32, 2.47])
    return Cluster("Ta", ("Cl", "Cl", "Cl", "Cl", "Cl", "S"), lengths[:, None] * AXES)


@cache
def paths():
    """Single scattering from Cl (5) and S (1)."""
    found = paths_of_cluster(cluster(), edge="L3", r_max=2.6, n_legs=2)
    return {path.symbols[1]: path for path in found}


def clean():
    t = TRUTH
    made = paths()
    return sum(
        path_chi(made[symbol], K, np.array([t["amp"], t["e0"], t[f"dr_{symbol.lower()}"], t["ss"], 0, 0, 0]))[
            0
        ]
        for symbol in ("Cl", "S")
    )


def chi(noise=0.0, seed=0):
    return ChiK(k=K, chi=clean() + noise * np.random.default_rng(seed).normal(size=K.size))


def parameters(**changed):
    start = {"amp": 1.0, "e0": 0.0, "dr_cl": 0.0, "dr_s": 0.0, "ss": 0.003} | changed
    return [FitParameter(name=name, value=value) for name, value in start.items()]


def data_set(data=None, *, background=False, epsilon=None, **ranges):
    made = paths()
    shared = {"s02": "amp", "e0": "e0", "sigma2": "ss"}
    settings = {"k_range": (3.0, 14.0), "r_range": (1.3, 2.6), "k_weights": (1, 2, 3)} | ranges
    return DataSet(
        name="made up", chi=chi() if data is None else data, background=background, epsilon=epsilon,
        paths=tuple(
            FitPath(path=made[s], parameters={**shared, "delr": f"dr_{s.lower()}"}) for s in ("Cl", "S")
        ),
        fit_range=FitRange(**settings),
    )  # fmt: skip
