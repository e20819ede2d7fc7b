"""Transport: free diffusion, drift, folding, kinisi's own sums, the numbers of a paper."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snapshots import brownian, frames

from shortrange.analyse.arrhenius import arrhenius, check_conductivity, nernst_einstein
from shortrange.analyse.displacement import remove_drift, unwrap
from shortrange.analyse.msd import collective_msd, free_slope_error, mean_squared_displacement
from shortrange.analyse.roles import find_roles
from shortrange.analyse.transport import hops_needed, transport
from shortrange.errors import DataError
from shortrange.load import load_trajectory
from shortrange.quantities import Trajectory

CM2 = 0.1  # cm2/s in angstrom^2/fs


def direct_msd(x, lag):
    return ((x[lag:] - x[:-lag]) ** 2).mean(axis=(0, 1))


def test_fourier_equals_the_sum():
    x = np.cumsum(np.random.default_rng(0).normal(size=(57, 5, 3)), axis=0) + 100.0
    lags = np.arange(1, 57)
    fast = mean_squared_displacement(x, lags)
    assert fast == pytest.approx(np.array([direct_msd(x, lag) for lag in lags]), rel=1e-9)
    total = x.sum(axis=1)
    expected = [((total[lag:] - total[:-lag]) ** 2).sum(axis=1).mean() / 5 for lag in lags]
    assert collective_msd(total, 5, lags) == pytest.approx(np.array(expected), rel=1e-9)


def test_error_of_the_slope_is_that_of_the_whole_covariance():
    """w^T C w with the matrix cov(x_i, x_j) = var_i l_j / l_i (i <= j) written out."""
    lags = np.arange(7, 60)
    time, variance = 2.5 * lags, 0.3 * lags.astype(float) ** 1.7
    low, high = np.minimum.outer(lags, lags), np.maximum.outer(lags, lags)
    place = np.minimum.outer(np.arange(lags.size), np.arange(lags.size))
    matrix = variance[place] * high / low
    weights = np.linalg.pinv(np.column_stack([time, np.ones(time.size)]))[0]
    expected = np.sqrt(weights @ matrix @ weights)
    assert free_slope_error(time, variance, lags) == pytest.approx(expected, rel=1e-9)


def test_free_diffusion_within_its_error():
    """Forty walks of known D: the pulls have no bias and a spread of one at most."""
    d = 2e-3
    pulls = []
    for seed in range(40):
        walk = brownian(400, 40, d, seed=seed)
        (na,) = transport(walk, find_roles(walk, mobile=[]), drift="none").elements
        assert na.posterior is None  # only mobile elements cost the time
        pulls.append((na.d.value - d * CM2) / na.d.sigma)
        assert na.exponent == pytest.approx(1.0, abs=0.35)
    assert abs(np.mean(pulls)) < 0.5
    assert 0.6 < np.std(pulls) < 1.2


def test_posterior_holds_the_truth():
    inside = []
    for seed in range(4):
        walk = brownian(300, 30, 2e-3, seed=seed)
        (na,) = transport(walk, find_roles(walk), drift="none").elements
        inside.append(na.posterior[0] < 2e-3 * CM2 < na.posterior[4])
        assert na.posterior[2] == pytest.approx(2e-3 * CM2, rel=0.3)
    assert sum(inside) >= 3  # of 95 % intervals


def test_same_input_gives_the_same_posterior():
    walk = brownian(100, 10, 2e-3)
    one, two = (transport(walk, find_roles(walk), drift="none").elements[0].posterior for _ in range(2))
    assert one == two


def test_kinisi_makes_the_same_msd(agreement):
    """kinisi unwraps by itself, holds the framework still and averages over the same windows.

    Its first window of each lag (2.1.0, from ase) is one step short, from frame 0 to lag - 1: put in here.
    """
    import scipp as sc
    from ase import Atoms
    from kinisi.diffusion_analyzer import DiffusionAnalyzer

    walk = brownian(60, 12, 2e-3, species=["Na"] * 8 + ["Ta"] * 4)
    images = [Atoms(walk.species, positions=p, cell=walk.cells[0], pbc=True) for p in walk.positions]
    step, skip = sc.scalar(1.0, unit="fs"), sc.scalar(1, unit="dimensionless")
    theirs = DiffusionAnalyzer.from_ase(images, "Na", step, skip, progress=False)._dg["da"]
    x = remove_drift(unwrap(walk), walk, find_roles(walk), drift="framework")[:, :8]
    lags = np.rint(theirs.coords["time interval"].values).astype(int)
    keep = lags < 30
    lags = lags[keep]
    short = ((x[lags - 1] - x[0]) ** 2).sum(axis=2).mean(axis=1)
    ours = mean_squared_displacement(x, lags).sum(axis=1)
    off = np.abs((ours * (60 - lags) + short) / (61 - lags) / theirs.values[keep] - 1).max()
    agreement(
        "mean squared displacement of free diffusion: largest relative difference",
        differ=off,
        below=1e-9,
        by="kinisi (its first window put in)",
        part="Snapshots",
    )


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_folding_changes_no_displacement(seed):
    """Even into a skewed cell that breathes."""
    rng = np.random.default_rng(seed)
    free = rng.uniform(0, 10, (1, 6, 3)) + np.cumsum(rng.normal(scale=0.3, size=(30, 6, 3)), axis=0)
    cells = np.array([[9.0, 0, 0], [2.0, 10.0, 0], [-1.0, 1.5, 9.5]]) * np.ones((30, 1, 1))
    folded = np.einsum("fai,fij->faj", np.einsum("fai,fij->faj", free, np.linalg.inv(cells)) % 1.0, cells)
    moved = unwrap(Trajectory(species=("Na",) * 6, positions=folded, cells=cells))
    assert moved - moved[0] == pytest.approx(free - free[0], abs=1e-9)


def test_drift_is_removed():
    walk = brownian(200, 12, 2e-3, species=["Na"] * 6 + ["Ta"] * 6)
    wind = np.arange(200)[:, None, None] * np.array([0.02, 0.0, -0.01])
    windy = frames(walk.species, (walk.positions + wind) % 12.0, cell=[12.0] * 3, time_step=1.0)
    roles = find_roles(walk)
    for drift in ("all", "framework"):
        still = remove_drift(unwrap(walk), walk, roles, drift=drift)
        blown = remove_drift(unwrap(windy), windy, roles, drift=drift)
        assert np.diff(blown, axis=0) == pytest.approx(np.diff(still, axis=0), abs=1e-9)


def test_haven_ratio():
    """Independent ions have 1 within the error; ions that move as one block have 1/N, D of all N times D."""
    walk = brownian(4000, 30, 1e-3, seed=5)
    found = transport(walk, find_roles(walk), drift="none", window=(1, 40))
    assert found.haven.value == pytest.approx(1.0, abs=3 * found.haven.sigma)
    one = brownian(4000, 1, 1e-3, seed=6, wrap=False).positions
    block = np.repeat(one, 30, axis=1) + np.random.default_rng(0).uniform(0, 12, (1, 30, 3))
    together = frames(["Na"] * 30, block % 12.0, cell=[12.0] * 3, time_step=1.0)
    found = transport(together, find_roles(together), drift="none", window=(1, 40))
    assert found.haven.value == pytest.approx(1 / 30, rel=1e-6)


def test_conductivity_of_a_textbook_case():
    """1e22 ions/cm3, D = 1e-6 cm2/s, 300 K: n e^2 D / kT = 0.0620 S/cm, by hand."""
    by_hand = 1e22 * (1.602176634e-19) ** 2 * 1e-6 / (1.380649e-23 * 300)
    assert nernst_einstein(1e-6, carrier_density=0.01, temperature=300) == pytest.approx(by_hand, rel=1e-12)
    assert by_hand == pytest.approx(0.0620, abs=1e-4)
    assert nernst_einstein(1e-6, carrier_density=0.01, temperature=300, charge=2) == pytest.approx(
        4 * by_hand
    )


def test_numbers_of_the_paper(agreement):
    """Four D of amorphous TaCl5-0.5Na2S give 0.130(18) eV and 1.06e-6 cm2/s; its conductivity follows not."""
    found = arrhenius([600, 800, 1000, 1200], [1.34e-5, 2.53e-5, 3.09e-5, 5.16e-5])
    agreement(
        "activation energy from the four D of amorphous TaCl5-0.5Na2S",
        ours=found.activation_energy,
        theirs=0.130,
        within=5e-4,
        unit="eV",
        by="Jin et al. 2026",
        part="Snapshots",
    )
    assert found.sigma_activation_energy == pytest.approx(0.018, abs=5e-4)
    d, sigma = found.at(300)
    agreement(
        "D(300 K) from the same fit",
        ours=d,
        theirs=1.06e-6,
        within=1e-8,
        unit="cm²/s",
        by="Jin et al. 2026",
        part="Snapshots",
    )
    assert 0.3 * d < sigma < 0.6 * d
    check = check_conductivity(9.31e-3, diffusion=1.06e-6, volume_per_carrier=200.0, temperature=300.0)
    assert check.expected == pytest.approx(3.3e-2, rel=0.01)
    assert check.implied_volume == pytest.approx(706, abs=1)
    assert not check.follows
    assert "does not follow: it needs one carrier in 706 A^3" in check.arithmetic
    assert check_conductivity(3.28e-2, diffusion=1.06e-6, volume_per_carrier=200.0, temperature=300.0).follows


def test_arrhenius_with_errors_is_the_weighted_line():
    t, d, s = (
        np.array([500.0, 600, 700, 900]),
        np.array([1e-6, 3e-6, 8e-6, 2e-5]),
        np.array([1, 4, 8, 50]) * 1e-7,
    )
    found = arrhenius(t, d, s)
    x = 1 / (8.617333262e-5 * t)
    fit, covariance = np.polyfit(x, np.log(d), 1, w=d / s, cov="unscaled")
    assert found.activation_energy == pytest.approx(-fit[0], rel=1e-8)
    assert found.sigma_activation_energy == pytest.approx(math.sqrt(covariance[0, 0]), rel=1e-6)
    assert found.chi2_reduced == pytest.approx((((np.log(d) - np.polyval(fit, x)) * d / s) ** 2).sum() / 2)


def test_hops_of_he_et_al():
    """3.43 / sqrt(N) + 0.04: 20 % needs 460 hops."""
    assert hops_needed(0.20) == pytest.approx((3.43 / 0.16) ** 2)
    with pytest.raises(DataError, match=r"more than 0\.04"):
        hops_needed(0.03)


ARGYRODITES = [("Li6PS5Cl_50p", 1.43e-5), ("Li6PS5Cl_0p", 0.80e-5), ("Li6PS5I_0p", 0.29e-5)]


@pytest.mark.parametrize(("name", "d"), ARGYRODITES)
def test_argyrodites(shared_data, name, d, agreement):
    """Readings of the manifest: slope of the Li MSD between 3.5 and 7 ps, P-S at 2.03 to 2.07 angstrom."""
    run = load_trajectory(shared_data / "trajectories" / "argyrodite" / f"{name}_run1_XDATCAR.gz")
    found = transport(run, find_roles(run), time_step=100.0, temperature=500.0, window=(3500.0, 7000.0))
    li = found.elements[0]
    assert li.element == "Li"
    agreement(
        f"D of Li in {name}, 500 K (one run of 8 ps)",
        ours=li.d.value,
        theirs=d,
        within=0.04e-5,
        unit="cm²/s",
        by="forty lines of numpy on the same run",
        part="Snapshots",
    )
    p = next(e for e in found.elements if e.element == "P")
    assert 0.13 < p.msd[34:70].mean() < 0.24
    assert abs(p.d.value) < 0.02 * d


def test_na3ps4_like_pymatgen(shared_data, agreement):
    """MSD of Na by pymatgen-analysis-diffusion 2026.9.23.

    DiffusionAnalyzer(structure, displacements, "Na", 600, 2, 50, smoothed="max") on the same array, framework
    drift removed: MSD_AT holds its msd at lags 10, 40 and 80.
    """
    x, na, _ = na3ps4(shared_data)
    ours = mean_squared_displacement(x[:, na], np.array(list(MSD_AT))).sum(axis=1)
    agreement(
        "mean squared displacement of Na in c-Na3PS4: largest relative difference",
        below=1e-9,
        differ=np.abs(ours / np.array(list(MSD_AT.values())) - 1).max(),
        by="pymatgen, DiffusionAnalyzer",
        part="Snapshots",
    )


def na3ps4(shared_data):
    """Unwrapped positions with the framework held still, the Na atoms, and the file of the cell."""
    from ase.io import read

    folder = shared_data / "trajectories" / "pmg_diffusion"
    atoms = read(folder / "cNa3PS4.cif")
    fractions = np.load(folder / "cNa3PS4_trajectories.npy")
    run = Trajectory(
        species=tuple(atoms.get_chemical_symbols()),
        positions=fractions @ atoms.cell.array,
        cells=np.repeat(atoms.cell.array[None], len(fractions), axis=0),
    )
    na = [i for i, s in enumerate(run.species) if s == "Na"]
    return remove_framework_drift(unwrap(run), run), na, folder / "cNa3PS4.cif"


def test_na3ps4_beside_pymatgen(shared_data):
    """pymatgen's DiffusionAnalyzer itself, where it is installed: every lag, and D from the same points."""
    analyzer = pytest.importorskip(
        "pymatgen.analysis.diffusion.analyzer", reason="pymatgen-analysis-diffusion is not installed"
    )
    from pymatgen.core import Structure

    x, na, cell = na3ps4(shared_data)
    # It has its own removal of drift; it is given what is unwrapped, drift and all.
    moved = (x + np.linspace(0, 3, len(x))[:, None, None] - x[0]).transpose(1, 0, 2)
    theirs = analyzer.DiffusionAnalyzer(
        Structure.from_file(cell), moved, "Na", 600, 2, 50, smoothed="max", min_obs=30
    )
    lags = np.round(theirs.dt / 100).astype(int)
    ours = mean_squared_displacement(x[:, na], lags).sum(axis=1)
    assert lags.size > 100
    assert ours == pytest.approx(theirs.msd, rel=1e-9)
    # For "max" it weights the line by one over the time.
    root = 1 / np.sqrt(theirs.dt)
    line = np.column_stack([theirs.dt, np.ones(lags.size)]) * root[:, None]
    slope = np.linalg.lstsq(line, ours * root, rcond=None)[0][0]
    assert slope / 6 * CM2 == pytest.approx(theirs.diffusivity, rel=1e-6)


def remove_framework_drift(x, run):
    """pymatgen holds the plain mean of the framework atoms still, without masses."""
    frame = [i for i, s in enumerate(run.species) if s != "Na"]
    return x - x[:, frame].mean(axis=1, keepdims=True)


MSD_AT = {10: 0.7240696561588923, 40: 1.0580189486221274, 80: 1.0491755260615567}
