"""The model that fits call: against ensembles simulated with the atoms moved."""

from dataclasses import replace
from time import process_time

import numpy as np
import pytest

from shortrange.errors import SimulationError
from shortrange.quantities import Trajectory
from shortrange.simulate.exafs import ensemble_exafs, potentials_for

K = np.arange(0.0, 16.0, 0.05)
DATA_K = np.arange(3.0, 12.5, 0.047)
# A distorted TaCl6 octahedron with sodium outside.
PLACES = np.array(
    [
        [0, 0, 0], [2.31, 0.1, 0], [-2.35, 0, 0.2], [0, 2.4, 0], [0.2, -2.38, 0], [0, 0, 2.33],
        [0, 0.15, -2.42], [2.2, 2.3, 2.4],
    ]
)  # fmt: skip
FRAME = Trajectory(species=("Ta",) + ("Cl",) * 6 + ("Na",), positions=PLACES[None])
OPTIONS = {"absorber": "Ta", "edge": "L3", "k": K, "r_max": 5.0, "check": False}


@pytest.fixture(scope="module")
def potentials(feff_cache):
    return potentials_for(FRAME, absorber="Ta", edge="L3", r_max=5.0)


@pytest.fixture(scope="module")
def result(potentials):
    return ensemble_exafs(FRAME, potentials=potentials, **OPTIONS)


def relative(chi, reference):
    return np.abs(chi - reference).max() / np.abs(reference).max()


@pytest.mark.parametrize("stretch", [-0.03, -0.02, 0.004, 0.011, 0.0275])
def test_between_the_stretches_summed(result, potentials, stretch):
    moved = ensemble_exafs(replace(FRAME, positions=PLACES[None] * (1 + stretch)), potentials=potentials,
                           **OPTIONS | {"r_max": 5.0 * (1 + stretch)})  # fmt: skip
    exact = np.interp(DATA_K, K, moved.chi)
    linear = np.abs(np.diff(moved.chi, 2)).max() / 8  # error of the reference's own interpolation
    assert np.abs(result.model()(DATA_K, stretch=stretch) - exact).max() < linear + 2e-4 * np.abs(exact).max()


def test_at_rest_it_is_the_mean(result):
    inside = K > 0
    np.testing.assert_allclose(result.model()(K[inside]), result.chi[inside], atol=1e-12)


def test_energy_shift_as_in_xraylarch(result):
    """q = sqrt(k^2 - 0.2625 dE0): a positive shift makes theory at k what it was at a smaller q."""
    model = result.model()
    q = np.sqrt(DATA_K**2 - 0.262468 * 3.0)
    np.testing.assert_allclose(model(DATA_K, delta_e0=3.0), model(q), atol=2e-7)
    assert relative(model(DATA_K, delta_e0=-3.0), model(q)) > 0.3


def test_points_below_the_shifted_edge(result):
    low = result.model()(np.array([0.5, 1.0, 4.0]), delta_e0=8.0)
    assert low[0] == low[1] == pytest.approx(result.chi[0])


def test_amplitude_and_disorder(result):
    model = result.model()
    expected = 0.8 * np.exp(-2 * DATA_K**2 * 0.004) * model(DATA_K)
    np.testing.assert_allclose(model(DATA_K, s02=0.8, delta_sigma2=0.004), expected, rtol=1e-12)


def test_parts_add_up(result):
    parts = sum(result.part(name)(DATA_K, stretch=0.01, delta_e0=1.0) for name in result.contributions)
    np.testing.assert_allclose(parts, result.model()(DATA_K, stretch=0.01, delta_e0=1.0), atol=1e-12)


def test_spread_is_moving_long_bonds_out_and_short_ones_in(result, potentials):
    lengths = np.linalg.norm(PLACES[1:7], axis=1, keepdims=True)
    assert result.bond_lengths["Ta-Cl"] == pytest.approx(lengths.mean(), abs=1e-6)

    def moved(spread):
        places = PLACES.copy()
        places[1:7] *= 1 + spread * (lengths - lengths.mean()) / lengths
        other = ensemble_exafs(replace(FRAME, positions=places[None]), potentials=potentials,
                               multiple_scattering=False, **OPTIONS)  # fmt: skip
        return other.model()(DATA_K)

    slope = result.model().bond_spread(DATA_K)["Ta-Cl"]
    assert relative(slope, (moved(0.05) - moved(-0.05)) / 0.1) < 0.03


def test_spread_of_bonds_at_the_ends_of_length_bins(potentials):
    """Path lengths are gathered in bins of 0.5 angstrom: bonds beside 2.0 and 2.5 count as all others do."""
    places = PLACES.copy()
    lengths = np.array([2.003, 2.3, 2.497, 2.505, 2.35, 2.51])[:, None]
    places[1:7] *= lengths / np.linalg.norm(places[1:7], axis=1, keepdims=True)

    def moved(spread):
        other = places.copy()
        other[1:7] *= 1 + spread * (lengths - lengths.mean()) / lengths
        return ensemble_exafs(replace(FRAME, positions=other[None]), potentials=potentials,
                              multiple_scattering=False, **OPTIONS).model()  # fmt: skip

    exact = (moved(0.01)(DATA_K) - moved(-0.01)(DATA_K)) / 0.02
    assert relative(moved(0.0).bond_spread(DATA_K)["Ta-Cl"], exact) < 0.03


def test_waves_beyond_the_table_are_refused(result):
    from shortrange.simulate.exafs.sums import sum_paths

    with pytest.raises(SimulationError, match=r"shift of 0\.2 angstrom .* leaves the table of waves"):
        sum_paths(None, None, n_kinds=1, r_max=5.0, r_max_ms=0.0, scales=np.array([1.0]), shift=0.2)


def test_only_bonds_have_a_spread(result):
    assert set(result.model().bond_spread(DATA_K)) == {"Ta-Cl"}


@pytest.mark.parametrize(
    ("k", "changes", "message"),
    [
        (DATA_K, {"stretch": 0.04}, r"stretch 0\.04 is outside"),
        (DATA_K, {"stretch": float("nan")}, "stretch nan"),
        (DATA_K, {"delta_e0": float("nan")}, "theory is wanted at k = nan"),
        (np.array([3.0, 20.0]), {"delta_e0": -5.0}, r"k = 20\.033"),
    ],
)  # fmt: skip
def test_outside_what_was_simulated(result, k, changes, message):
    with pytest.raises(SimulationError, match=message):
        result.model()(k, **changes)


def test_a_call_is_fast(result):
    model = result.model()
    start = process_time()
    for _ in range(50):
        model(DATA_K, s02=0.9, delta_e0=1.0, stretch=0.01, delta_sigma2=0.001)
    # 0.2 ms on a free processor, and of processor time on a busy one.
    assert (process_time() - start) / 50 < 5e-3
