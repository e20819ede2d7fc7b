"""Tabulated path sums against full FEFF8L calculations without path filter.

The snapshot (``simulated_ntsc_corner.extxyz``) is SIMULATED: a glass Na16Ta16Cl80S8 at 600 K, molecular
dynamics with the CHGNet 0.3.0 potential.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.io import read

from shortrange.quantities import Trajectory
from shortrange.simulate.exafs import ensemble_exafs, potentials_for
from shortrange.simulate.exafs.check import chi_of_paths, relative_rms
from shortrange.simulate.exafs.representative import cluster_around
from shortrange.simulate.feff import run_feff

SNAPSHOTS = Path(__file__).parent.parent / "data" / "simulated_ntsc_corner.extxyz"
K = np.arange(2.0, 13.0, 0.05)
INSIDE = (K >= 3) & (K <= 12)
R_MAX = 4.6


def trajectory_of(*frames) -> Trajectory:
    periodic = frames[0].pbc.any()
    return Trajectory(
        species=frames[0].get_chemical_symbols(),
        positions=np.array([f.positions for f in frames]),
        cells=np.array([np.array(f.cell) for f in frames]) if periodic else None,
    )


def k2_error(chi, reference):
    return relative_rms(chi[INSIDE], reference[INSIDE], K[INSIDE])


@pytest.fixture(scope="module")
def glass() -> Trajectory:
    return trajectory_of(read(SNAPSHOTS, index=0))


@pytest.fixture(scope="module")
def mean(glass, feff_cache):
    return ensemble_exafs(glass, absorber="Ta", edge="L3", r_max=R_MAX, k=K)


@pytest.fixture(scope="module")
def full(glass, feff_cache):
    """Sums of FEFF's paths with the same and with own potentials (16, n_k); its chi.dat; Fermi levels."""
    potentials = potentials_for(glass, absorber="Ta", edge="L3", r_max=R_MAX)

    def one(atom: int):
        cluster = cluster_around(glass, frame=0, atom=atom, radius=R_MAX + 3.0)
        k, chi, same = run_feff(cluster, edge="L3", r_path=R_MAX, potentials=potentials)
        _, _, own = run_feff(cluster, edge="L3", r_path=R_MAX)
        return chi_of_paths(same, K), chi_of_paths(own, K), np.interp(K, k, chi), own.mu

    atoms = [int(atom) for atom in np.flatnonzero(np.array(glass.species) == "Ta")]
    with ThreadPoolExecutor(2) as pool:
        return tuple(map(np.array, zip(*pool.map(one, atoms), strict=True)))


def test_mean_equals_full_feff_with_the_same_potentials(mean, full, agreement):
    agreement(
        "ensemble EXAFS of 16 Ta, simulated glass, same potentials: rms of k^2 chi",
        below=5e-3,
        differ=k2_error(mean.chi, full[0].mean(axis=0)),
        by="FEFF8L, all paths, each absorber",
        part="EXAFS",
    )


def test_mean_equals_what_feff_wrote(mean, full):
    """chi.dat is interpolated linearly between points up to 1/angstrom apart, hence the wider limit."""
    assert k2_error(mean.chi, full[2].mean(axis=0)) < 1e-2


def test_mean_potentials_serve_all_absorbers_up_to_e0(mean, full, agreement):
    """Own potentials of each absorber; one free dE0, as in any fit."""
    truth = full[1].mean(axis=0)
    model = mean.model()
    errors = {shift: k2_error(model(K, delta_e0=shift), truth) for shift in np.arange(-2.0, 2.01, 0.1)}
    agreement(
        "the same, own potentials of each absorber, E0 free: rms of k^2 chi",
        below=0.01,
        differ=min(errors.values()),
        by="FEFF8L, all paths, each absorber",
        part="EXAFS",
    )
    assert abs(min(errors, key=errors.__getitem__)) < 0.15
    assert np.ptp(full[3]) < 1.5


def test_single_scattering_alone_is_not_enough(glass, full):
    single = ensemble_exafs(
        glass, absorber="Ta", edge="L3", r_max=R_MAX, k=K, multiple_scattering=False, check=False
    )
    assert 0.05 < k2_error(single.chi, full[0].mean(axis=0)) < 0.4


def test_the_result_states_its_own_error(mean):
    assert 1e-4 < mean.method_error < 0.02
    assert mean.potentials["clusters"] >= 8
    assert mean.potentials["error"] < mean.potentials["spread"]
    assert mean.bounds["paths over three neighbours (0-1-2-3-0)"] == 0  # none is shorter than 4.6 A
    assert mean.bounds["paths of 5 legs and more (none is so short)"] == 0
    assert 0 < mean.bounds[f"single scattering from {R_MAX:g} to {R_MAX + 1:g} angstrom"] < 1


@pytest.mark.parametrize(
    ("frame", "absorber", "edge", "r_max", "limit"),
    [
        # W: R1 = 2.741 A; the other metals and edges in the same way. Short bonds test the grid's lower end.
        (bulk("W", "bcc", a=3.165), "W", "L3", 5.0, 0.02),
        (bulk("Cu", "fcc", a=3.61), "Cu", "K", 4.0, 0.02),
        (bulk("NaCl", "rocksalt", a=5.64), "Cl", "K", 4.5, 0.02),
        (molecule("SiCl4"), "Si", "K", 4.5, 0.02),
        (molecule("SO2"), "S", "K", 4.0, 0.02),
    ],
    ids=["W L3", "Cu K", "Cl K in NaCl", "Si K in SiCl4", "S K in SO2"],
)  # fmt: skip
def test_crystals_and_molecules(feff_cache, frame, absorber, edge, r_max, limit):
    """One frame; full FEFF for the same absorber, three-atom quadrilaterals and all."""
    result = ensemble_exafs(trajectory_of(frame), absorber=absorber, edge=edge, r_max=r_max, k=K)
    assert result.method_error < limit
    # A wrong sign of the phase, or a distance off by 1 %, would be far outside.
    wrong = k2_error(result.chi_by_stretch[1], result.chi)
    assert wrong > 5 * limit
