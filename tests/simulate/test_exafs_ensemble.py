"""Ensemble EXAFS: closed forms, what must change nothing, and messages."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from shortrange.errors import DataError, SimulationError
from shortrange.quantities import Trajectory
from shortrange.simulate.exafs import ensemble_exafs, potentials_for
from shortrange.simulate.exafs.sampling import ScatterSums, sampling_error
from shortrange.simulate.feff_paths import FeffPath, calculate_paths

SPECIES = ("Ta",) * 2 + ("Cl",) * 10
# Edge-sharing Ta2Cl10, idealised.
PLACES = np.array(
    [
        [1.98, 0, 0], [-1.98, 0, 0], [0, 1.62, 0], [0, -1.62, 0], [1.98, 0, 2.3], [1.98, 0, -2.3],
        [-1.98, 0, 2.3], [-1.98, 0, -2.3], [3.436, 1.675, 0], [3.436, -1.675, 0], [-3.436, 1.675, 0],
        [-3.436, -1.675, 0],
    ]
)  # fmt: skip
DIMER = Trajectory(species=SPECIES, positions=PLACES[None], label="Ta2Cl10")
K = np.arange(2.0, 14.0, 0.05)
TA = {"absorber": "Ta", "edge": "L3", "k": K, "check": False}


@pytest.fixture(scope="module")
def potentials(feff_cache):
    return potentials_for(DIMER, absorber="Ta", edge="L3")


@pytest.fixture(scope="module")
def dimer(potentials):
    return ensemble_exafs(DIMER, potentials=potentials, **TA)


def diatomic(r: float) -> Trajectory:
    return Trajectory(species=("Ta", "Cl"), positions=np.array([[[0.3, 0.1, 0], [0.3, 0.1, r]]]))


def size(chi):
    return np.abs(K**2 * chi).max()


@pytest.mark.parametrize("r", [2.31, 2.5, 3.777, 5.94])
def test_one_neighbour_is_feffs_path(potentials, r):
    """chi = Im[cchi exp(2 i k r)] at FEFF's own k, for distances on and between the nodes of the table."""
    pad = calculate_paths(potentials, [FeffPath((1,), ((0.0, 0.0, r),))])
    inside = (pad.k > 1.9) & (pad.k < 20.0)
    k = pad.k[inside]
    ours = ensemble_exafs(
        diatomic(r),
        absorber="Ta",
        edge="L3",
        k=k,
        potentials=potentials,
        multiple_scattering=False,
        check=False,
    )
    exact = (pad.cchi[0] * np.exp(2j * pad.k * pad.half_length[0])).imag[inside]
    # FEFF's list holds the distance to 1e-8; the rest is the spline's: 4e-6 of the amplitude.
    assert np.abs(ours.chi - exact).max() < 2e-5 * np.abs(exact).max()


def test_contributions_add_up(dimer):
    np.testing.assert_allclose(sum(dimer.contributions.values()), dimer.chi, atol=1e-12)
    assert {"Ta-Cl", "Ta-Ta", "Cl-Ta-Cl hinge", "Ta-Cl-Cl triangle", "Ta-Cl-Ta dogleg"} <= set(
        dimer.contributions
    )


def test_stretch_is_moving_the_atoms(dimer, potentials):
    for stretch, chi in zip(dimer.stretches, dimer.chi_by_stretch, strict=True):
        moved = replace(DIMER, positions=DIMER.positions * (1 + stretch))
        # The range moves along, so that the same paths are summed.
        other = ensemble_exafs(moved, potentials=potentials, r_max=6.0 * (1 + stretch), **TA)
        assert size(other.chi - chi) < 1e-4 * size(chi)
    assert size(dimer.chi_by_stretch[0] - dimer.chi) > 0.3 * size(dimer.chi)


def test_doubling_the_frames_changes_nothing(dimer, potentials):
    twice = replace(DIMER, positions=np.repeat(DIMER.positions, 2, axis=0))
    other = ensemble_exafs(twice, potentials=potentials, **TA)
    np.testing.assert_allclose(other.chi, dimer.chi, atol=1e-13)
    np.testing.assert_allclose(other.frame_chi, np.array([dimer.chi] * 2), atol=1e-7)
    assert other.n_absorbers == 2 * dimer.n_absorbers == 4


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**31))
def test_pose_and_order_change_nothing(dimer, potentials, seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(12)
    turned = Rotation.random(rng=rng).apply(PLACES[order]) + rng.normal(0, 20, 3)
    if seed % 2:
        turned[:, 0] *= -1
    other = Trajectory(species=[SPECIES[i] for i in order], positions=turned[None])
    result = ensemble_exafs(other, potentials=potentials, **TA)
    # Equal legs: rounding decides at which vertex a triangle is described, and so how it is interpolated.
    assert size(result.chi - dimer.chi) < 1e-4 * size(dimer.chi)


def test_workers_change_only_the_order_of_summation(dimer, potentials):
    for workers in (1, 3):
        other = ensemble_exafs(DIMER, potentials=potentials, workers=workers, **TA)
        np.testing.assert_allclose(other.chi, dimer.chi, atol=1e-13)


def test_a_box_is_the_molecule_and_its_images(dimer, potentials):
    """In a wide box the molecule is alone; in a narrow one each image adds neighbours within r_max."""
    wide = replace(DIMER, cells=20.0 * np.eye(3)[None])
    assert size(ensemble_exafs(wide, potentials=potentials, **TA).chi - dimer.chi) < 1e-10
    doubled = np.vstack([PLACES, PLACES + np.array([0, 0, 8.0])])
    cell = np.diag([20.0, 20.0, 8.0])
    once = replace(DIMER, cells=cell[None])
    twice = Trajectory(species=SPECIES * 2, positions=doubled[None], cells=np.diag([20.0, 20.0, 16.0])[None])
    a, b = (ensemble_exafs(t, potentials=potentials, **TA).chi for t in (once, twice))
    assert size(a - b) < 1e-4 * size(a)
    assert size(a - dimer.chi) > 1e-3 * size(a)


def test_species_in_the_wrong_order_give_another_answer(dimer, potentials):
    """Ta and Cl exchanged at two places: a test that could not tell would tell nothing."""
    swapped = list(SPECIES)
    swapped[0], swapped[2] = swapped[2], swapped[0]
    other = ensemble_exafs(replace(DIMER, species=swapped), potentials=potentials, **TA)
    assert size(other.chi - dimer.chi) > 0.3 * size(dimer.chi)


def test_multiple_scattering_can_be_left_out(dimer, potentials):
    single = ensemble_exafs(DIMER, potentials=potentials, multiple_scattering=False, **TA)
    assert set(single.contributions) == {"Ta-Cl", "Ta-Ta"}
    for name, chi in single.contributions.items():
        np.testing.assert_allclose(chi, dimer.contributions[name], atol=1e-12)


def test_what_was_done_is_in_the_history(dimer):
    names = [s.name for s in dimer.history]
    assert names == ["take potentials and phases from FEFF", "sum EXAFS paths over absorbers"]
    assert dimer.history[0].settings["chosen"]["reason"] == "as given"
    assert dimer.history[1].settings["paths"] == dimer.n_paths > 100


def test_arrays_are_read_only(dimer):
    with pytest.raises(ValueError, match="read-only"):
        dimer.chi[0] = 1.0


def test_equivalent_absorbers_have_no_sampling_error(dimer):
    assert dimer.standard_error.max() < 1e-8
    assert dimer.chi_k().sigma is not None


def test_error_of_the_mean_of_independent_spectra():
    """White noise of known size: standard error sigma / sqrt(n), design effect about 1."""
    rng = np.random.default_rng(1)
    chi = rng.normal(0, 0.1, (30, 20, 200))
    covariance, effect = sampling_error(ScatterSums.of(chi), np.linspace(3, 12, 200))
    assert effect == pytest.approx(1.0, abs=0.25)
    assert np.sqrt(np.diag(covariance)).mean() == pytest.approx(
        0.1 / np.sqrt(600) * np.sqrt(effect), rel=0.02
    )


def test_error_of_the_mean_where_atoms_keep_their_spectra():
    """Each of 20 atoms has its own spectrum in all 30 frames: only 20 are independent."""
    rng = np.random.default_rng(2)
    chi = np.repeat(rng.normal(0, 0.1, (1, 20, 200)), 30, axis=0)
    covariance, effect = sampling_error(ScatterSums.of(chi), np.linspace(3, 12, 200))
    assert effect == pytest.approx(30.0, rel=0.1)
    assert np.sqrt(np.diag(covariance)).mean() == pytest.approx(0.1 / np.sqrt(20), rel=0.06)


def test_a_single_absorber_has_no_error():
    assert sampling_error(ScatterSums.of(np.zeros((1, 1, 4))), np.arange(4.0)) == (None, None)


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"absorber": "Nb"}, SimulationError, r"no Nb among the atoms \(Ta, Cl\)"),
        ({"absorber": "ta"}, SimulationError, "did you mean 'Ta'"),
        ({"edge": "L7"}, DataError, "no edge 'L7'"),
        ({"edge": "L2"}, SimulationError, "potentials are for Ta L3"),
        ({"r_max": 0.5}, SimulationError, r"r_max = 0\.5"),
        ({"r_max": float("nan")}, SimulationError, "r_max = nan"),
        ({"r_max": 1.6}, SimulationError, r"no neighbour within 1\.6 angstrom"),
        ({"k": [3.0, 2.0]}, DataError, "not a rising series"),
        ({"k": [3.0, float("nan")]}, DataError, "not a rising series"),
        ({"k": [3.0, 21.0]}, DataError, "from 3 to 21"),
        ({"stretches": (0.2,)}, DataError, r"-0\.1 to 0\.1"),
        ({"stretches": (float("nan"),)}, DataError, r"-0\.1 to 0\.1"),
        ({"workers": 0}, SimulationError, "workers = 0"),
    ],
)  # fmt: skip
def test_impossible_requests_are_refused(potentials, changes, kind, message):
    with pytest.raises(kind, match=message):
        ensemble_exafs(DIMER, **{"potentials": potentials, **TA, **changes})


def test_overlapping_atoms_are_named(potentials):
    places = np.repeat(PLACES[None], 3, axis=0)
    places[2, 5] = places[2, 0] + [0, 0, 0.4]
    bad = replace(DIMER, positions=places, source="run.extxyz")
    with pytest.raises(
        SimulationError, match=r"atoms 0 and 5 are only 0\.400 angstrom apart in frame 2"
    ) as caught:
        ensemble_exafs(bad, potentials=potentials, **TA)
    assert caught.value.where == "run.extxyz"


def test_an_element_without_potential_is_refused(potentials):
    bromide = replace(DIMER, species=("Ta",) * 2 + ("Br",) * 10)
    with pytest.raises(SimulationError, match="not for Ta L3 among Br"):
        ensemble_exafs(bromide, potentials=potentials, **TA)
