"""Fits of EXAFS and G(r): known parameters come back; a measured foil gives its crystallographic distance."""

from dataclasses import replace

import numpy as np
import pytest

from shortrange.compare.evidence import judge
from shortrange.compare.theory_error import EXAFS_THEORY_ERROR, TheoryError
from shortrange.errors import DataError
from shortrange.fit.exafs_term import EXAFS_PARAMETERS, exafs_term
from shortrange.fit.parameters import changed
from shortrange.load import load_scans
from shortrange.quantities import ChiK, Trajectory
from shortrange.reduce.xas import reduce_xas
from shortrange.simulate.exafs import ensemble_exafs

K = np.arange(0.0, 14.001, 0.05)
TRUE = {"s02": 0.84, "delta_e0": 2.5, "stretch": -0.006, "delta_sigma2": 0.0011}
EXACT = TheoryError(median=1e-4, log_sigma=0.1, source="none: the data are made by the model")


@pytest.fixture(scope="module")
def octahedra():
    """Three slightly different TaCl6 octahedra: simulated snapshots."""
    rng = np.random.default_rng(7)
    corners = 2.35 * np.vstack([np.eye(3), -np.eye(3)])
    frames = [np.vstack([np.zeros(3), corners + 0.06 * rng.normal(size=(6, 3))]) for _ in range(3)]
    snapshots = Trajectory(species=("Ta", *["Cl"] * 6), positions=np.array(frames))
    return ensemble_exafs(snapshots, absorber="Ta", edge="L3", check=False)


def simulated_data(ensemble, *, noise=1e-4):
    chi = ensemble.model()(K, **TRUE) + noise * np.random.default_rng(8).normal(size=K.size)
    return ChiK(k=K, chi=chi, sigma=np.full(K.size, noise))


def term(ensemble, data, **changes):
    still = replace(ensemble, covariance=None)
    options = {"measurement": "Ta L3", "k_range": (3.0, 12.0), **changes}
    return exafs_term(data, still, **options)


def test_known_parameters_come_back(octahedra):
    data = simulated_data(octahedra)
    fit = judge(term(octahedra, data), theory_error=EXACT)
    for parameter, true in zip(fit.parameters, TRUE.values(), strict=True):
        assert parameter.value == pytest.approx(true, abs=4 * parameter.sigma + 2e-3 * abs(true)), (
            parameter.name
        )
    assert fit.R < 1e-5


def test_errors_hold_what_a_wrong_spread_of_the_bonds_does(octahedra):
    """Data whose long bonds are longer and short ones shorter: fits are off by what is said."""
    small, k = 0.02, K[K >= 2.0]
    right = octahedra.model()(k, s02=0.9)
    wrong = right + small * octahedra.model().bond_spread(k, s02=0.9)["Ta-Cl"]
    found = []
    for chi in (right, wrong):
        data = ChiK(k=k, chi=chi, sigma=np.full(k.size, 1e-4))
        fit = judge(term(octahedra, data), theory_error=replace(EXACT, bond_spread=small))
        found.append({p.name: p for p in fit.parameters})
    plain = judge(term(octahedra, data), theory_error=replace(EXACT, bond_spread=0.0))
    for p in plain.parameters:
        moved = found[1][p.name].value - found[0][p.name].value
        added = np.sqrt(found[1][p.name].sigma ** 2 - p.sigma**2)
        assert added == pytest.approx(abs(moved), rel=0.2, abs=0.1 * p.sigma), p.name


def test_a_sampling_covariance_enters_with_the_square_of_the_weight(octahedra):
    data = simulated_data(octahedra)
    plain, sampled = term(octahedra, data), exafs_term(data, octahedra, measurement="", k_range=(3.0, 12.0))
    assert not plain.sampling.any()
    inside = (octahedra.k >= 3.0 - 1e-9) & (octahedra.k <= 12.0 + 1e-9)
    weight = octahedra.k[inside] ** 2
    covariance = octahedra.covariance[np.ix_(inside, inside)] * np.outer(weight, weight)
    expected = sampled.modes.T @ covariance @ sampled.modes
    np.testing.assert_allclose(sampled.sampling, expected, atol=1e-3 * np.abs(expected).max())


def test_data_without_errors_are_refused(octahedra):
    with pytest.raises(DataError, match="no error estimate"):
        term(octahedra, ChiK(k=K, chi=np.zeros_like(K)))


def test_a_range_beyond_the_data_is_refused(octahedra):
    with pytest.raises(DataError, match="the data end at 14"):
        term(octahedra, simulated_data(octahedra), k_range=(3.0, 15.0))


def test_tungsten_foil(shared_data):
    scans = [s for p in sorted((shared_data / "xas_xdi/W_L3").glob("W_metal*.xdi")) for s in load_scans(p)]
    reduction = reduce_xas(scans, element="W", edge="L3", k_range=(3.0, 13.0))
    a = 3.1652
    bcc = Trajectory(
        species=("W", "W"), positions=a * np.array([[[0, 0, 0], [0.5, 0.5, 0.5]]]), cells=a * np.eye(3)[None]
    )
    at_rest = changed(
        EXAFS_PARAMETERS, "delta_sigma2", value=0.005, lower=0.0, upper=0.02, prior=(0.005, 0.005)
    )
    compared = exafs_term(
        reduction.chi,
        ensemble_exafs(bcc, absorber="W", edge="L3", check=False),
        measurement="W L3",
        k_range=(3.0, 13.0),
        r_range=(1.6, 3.3),
        parameters=at_rest,
    )
    # Beside the theory error that looks like a stretch, which is a constant added to what is reported.
    fit = judge(compared, theory_error=replace(EXAFS_THEORY_ERROR, stretch=0.0))
    stretch = next(p for p in fit.parameters if p.name == "stretch")
    # bcc W: 2.741 angstrom (Wyckoff); FEFF's phases are good to about 0.01 angstrom.
    assert 2.741 * (1 + stretch.value) == pytest.approx(2.741, abs=0.01)
    assert stretch.sigma < 0.003
    assert fit.R < 0.015
    assert fit.p_value > 0.01
