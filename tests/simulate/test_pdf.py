"""G(r) of ensembles: closed forms, other programs, measured crystals."""

from pathlib import Path

import numpy as np
import pytest
from ase.io import read
from scipy.optimize import least_squares

from shortrange.atoms import form_factor
from shortrange.errors import DataError, SimulationError
from shortrange.load import load_gr, load_trajectory
from shortrange.numeric.blocking import standard_error
from shortrange.quantities import Trajectory
from shortrange.simulate.bond_shells import bond_shells
from shortrange.simulate.pairs import pair_histograms
from shortrange.simulate.pdf import PdfModel, simulate_gr

U = {
    "ni_fcc": {"Ni": 0.005},
    "nacl": {"Na": 0.015, "Cl": 0.012},
    "natacl6_128": dict.fromkeys(("Na", "Ta", "Cl"), 0.003),
}
NEUTRON = {"Ni": 10.3, "Na": 3.63, "Cl": 9.5792, "Ta": 6.91}  # fm, Sears 1992


def trajectory_of(atoms, noise=0.0, frames=1, seed=0) -> Trajectory:
    rng = np.random.default_rng(seed)
    positions = atoms.positions + noise * rng.normal(size=(frames, len(atoms), 3))
    cells = np.repeat(np.array(atoms.cell)[None], frames, axis=0) if atoms.pbc.any() else None
    return Trajectory(species=tuple(atoms.get_chemical_symbols()), positions=positions, cells=cells)


@pytest.fixture
def reference(shared_data: Path) -> Path:
    return shared_data.parent / "reference"


@pytest.fixture(scope="module")
def salt():
    """Histograms of 12 frames of a disordered rocksalt of three species."""
    from ase.build import bulk

    atoms = bulk("NaCl", "rocksalt", a=5.64, cubic=True).repeat((2, 2, 2))
    atoms.symbols[::9] = "Ta"
    return pair_histograms(trajectory_of(atoms, noise=0.08, frames=12), r_max=12.0)


def test_one_distance_is_one_sine():
    """Two equal atoms at d: F(Q) = sin(Q d) / d exp(-Q^2 U), G = its transform in closed form (U = 0)."""
    d, q_max = 2.3, 20.0
    pair = Trajectory(species=("Cl", "Cl"), positions=np.array([[[0, 0, 0], [0, 0, d]]]))
    r = np.arange(0.5, 8, 0.0137)
    model = PdfModel(pair_histograms(pair), r, q_max)
    q = np.linspace(0.1, 20, 50)
    assert model.structure(q, u_iso=0.004) == pytest.approx(
        np.sin(q * d) / d * np.exp(-(q**2) * 0.004), abs=3e-6
    )
    expected = (np.sinc((r - d) * q_max / np.pi) - np.sinc((r + d) * q_max / np.pi)) * q_max / (np.pi * d)
    assert model() == pytest.approx(expected, abs=1e-5 * expected.max())


def test_baseline_is_minus_four_pi_r_rho0(salt):
    r = np.arange(0.2, 1.2, 0.1)
    g = PdfModel(salt, r, 40.0, weights="xray-constant")(u_iso=0.005)
    assert g == pytest.approx(-4 * np.pi * r * salt.number_density, abs=2e-3)


def test_ideal_gas_has_zero_g():
    rng = np.random.default_rng(2)
    gas = Trajectory(
        species=("Ta", "Cl") * 400,
        positions=rng.uniform(0, 28, (20, 800, 3)),
        cells=np.repeat(28 * np.eye(3)[None], 20, 0),
    )
    result = simulate_gr(pair_histograms(gas, r_max=10.0), r=np.arange(1, 9, 0.05), q_min=0.3, q_max=15.0)
    # A straight line is 4 pi rho0 r = 0.46 r: zero within the errors that the result itself states.
    chi2 = np.mean((result.gr.g / result.gr.sigma) ** 2)
    assert np.abs(result.gr.g).max() < 0.4
    assert 0.3 < chi2 < 3


@pytest.mark.parametrize("name", ["ni_fcc", "nacl", "natacl6_128"])
@pytest.mark.parametrize("kind", ["noqmax", "noqmax_neutron"])
def test_agrees_with_srreal_sums_of_gaussians(reference: Path, name: str, kind: str, agreement):
    expected = np.loadtxt(reference / f"{name}__srreal__{kind}.txt")
    histograms = pair_histograms(trajectory_of(read(reference / f"{name}.extxyz")), r_max=21.5)
    weights = NEUTRON if "neutron" in kind else "xray-constant"
    g = PdfModel(histograms, expected[:, 0], 80.0, weights=weights)(u_iso=U[name])
    # srreal's own peakprecision leaves 4.6e-6; its neutron lengths differ from Sears' in the fourth digit.
    limit = 1e-5 if "neutron" not in kind or name == "ni_fcc" else 5e-4
    weighted = "neutrons" if "neutron" in kind else "X-rays"
    agreement(
        f"G(r) of {name}, no Q-range, {weighted}: largest difference, of the maximum",
        below=limit,
        differ=np.abs(g - expected[:, 1]).max() / np.abs(expected[:, 1]).max(),
        by="diffpy.srreal",
        part="Total scattering",
    )


def test_agrees_with_debye_sums_of_srreal_and_debyecalculator(reference: Path, agreement):
    histograms = pair_histograms(trajectory_of(read(reference / "ta2cl10.xyz")))
    model = PdfModel(histograms, np.arange(0.0, 20.005, 0.01), 24.0)
    srreal = np.loadtxt(reference / "ta2cl10__srreal_debye__qmax24__Fq.txt")
    assert (
        np.abs(model.structure(srreal[:, 0], u_iso=0.005) - srreal[:, 1]).max()
        < 1e-6 * np.abs(srreal[:, 1]).max()
    )
    # debyecalculator counts each pair and each self term half.
    debye = np.loadtxt(reference / "ta2cl10__debyecalculator__U0.005__fq.txt")[1:-1]
    off = np.abs(model.structure(debye[:, 0], u_iso=0.005) - 2 * debye[:, 1]).max()
    agreement(
        "F(Q) of Ta2Cl10, exact Debye sum: largest difference, of the maximum",
        below=1e-6,
        differ=off / np.abs(debye[:, 1]).max(),
        by="DebyeCalculator",
        part="Total scattering",
    )
    g = np.loadtxt(reference / "ta2cl10__srreal_debye__qmax24__Gr.txt")
    model = PdfModel(histograms, g[:, 0], 24.0)
    # srreal ends F(Q) at a multiple of its own step, 23.9.
    assert np.abs(model(u_iso=0.005) - g[:, 1]).max() < 3e-3 * np.abs(g[:, 1]).max()


def test_agrees_with_periodic_debye_sum_of_srreal(reference: Path):
    trajectory = trajectory_of(read(reference / "natacl6_128.extxyz"))
    g = np.loadtxt(reference / "natacl6_128__srreal_debye_periodic__qmax24__Gr.txt")
    limit = 3e-3 * np.abs(g[:, 1]).max()
    g = g[(g[:, 0] > 0.5) & (g[:, 0] < 10)]
    mine = PdfModel(pair_histograms(trajectory, r_max=16.0), g[:, 0], 24.0)(u_iso=0.003)
    theirs = g[:, 1] - 4 * np.pi * g[:, 0] * trajectory.number_density
    assert np.abs(mine - theirs).max() < limit


def test_exact_debye_sum_with_anomalous_factors():
    """Three atoms summed by hand, with f' and f'' of Ta just above its L3 edge."""
    from shortrange.atoms import anomalous

    positions = np.array([[0, 0, 0], [2.3, 0, 0], [0, 2.5, 0.4]])
    species, q, energy = ("Ta", "Cl", "S"), np.linspace(0.2, 18, 40), 9900.0
    f = [form_factor(s, q) + anomalous(s, energy)[0] + 1j * anomalous(s, energy)[1] for s in species]
    total = np.zeros(q.size)
    for a in range(3):
        for b in range(3):
            if a != b:
                r = np.linalg.norm(positions[a] - positions[b])
                total += (f[a] * np.conj(f[b])).real * np.sin(q * r) / r
    expected = total / (3 * np.abs(sum(f) / 3) ** 2)
    histograms = pair_histograms(Trajectory(species=species, positions=positions[None]))
    model = PdfModel(histograms, np.array([1.0, 2.0]), 18.0, energy=energy)
    assert model.structure(q) == pytest.approx(expected, abs=1e-5 * np.abs(expected).max())


def test_parts_add_up_and_frames_average_to_the_mean(salt):
    r = np.arange(1.5, 9, 0.02)
    settings = {"stretch": 0.004, "u_iso": {"Na": 0.002, "Cl": -0.0005, "Ta": 0.001}, "q_damp": 0.04}
    result = simulate_gr(salt, r=r, q_min=0.7, q_max=22.0, per_run=True, window="lorch", **settings)
    assert sum(result.contributions.values()) == pytest.approx(result.gr.g, abs=1e-12)
    assert result.per_run.mean(axis=0) == pytest.approx(result.gr.g, abs=2e-5)
    expected = np.std(result.per_run, axis=0, ddof=1) / np.sqrt(12)
    assert result.gr.sigma == pytest.approx(expected, rel=1e-3)
    assert any(s.name.startswith("warning: beyond half") for s in result.history)


def test_stretch_is_a_larger_cell(salt):
    """Scaling positions and cell by 1 + e is what ``stretch`` means, density included."""
    from ase.build import bulk

    atoms = bulk("NaCl", "rocksalt", a=5.64, cubic=True).repeat((2, 2, 2))
    atoms.symbols[::9] = "Ta"
    frames = trajectory_of(atoms, noise=0.08, frames=12)
    larger = Trajectory(
        species=frames.species, positions=frames.positions * 1.013, cells=frames.cells * 1.013
    )
    r = np.arange(1.0, 8, 0.01)
    expected = PdfModel(pair_histograms(larger, r_max=12.0 * 1.013), r, 20.0)()
    g = PdfModel(salt, r, 20.0)(stretch=0.013)
    assert g == pytest.approx(expected, abs=2e-3 * np.abs(expected).max())


def test_spread_moves_long_bonds_out_and_short_ones_in():
    r, lengths = np.arange(1.5, 5, 0.01), np.array([2.25, 2.33, 2.42])

    def bonds(spread: float) -> PdfModel:
        moved = lengths + spread * (lengths - lengths.mean())
        positions = np.array([[[0, 0, 0], [moved[0], 0, 0], [0, moved[1], 0], [0, 0, moved[2]]]])
        unit = Trajectory(species=("Ta", "Cl", "Cl", "Cl"), positions=positions)
        return PdfModel(pair_histograms(unit, r_max=6.0), r, 20.0, 0.5)

    settings = {"u_iso": 0.003, "q_damp": 0.03, "scale": 0.9, "stretch": 0.004}
    shells = bond_shells(bonds(0.0).histograms)
    assert set(shells) == {"Ta-Cl"}
    found = bonds(0.0).spread_derivatives(shells, **settings)["Ta-Cl"]
    up, down = (bonds(x).contributions(**settings)["Ta-Cl"] for x in (0.01, -0.01))
    expected = (up - down) / 0.02
    # The grid of distances blurs by 0.006 angstrom, against differences of 0.08.
    assert found == pytest.approx(expected, abs=1e-2 * np.abs(expected).max())


def test_bonds_are_shells_that_end(salt):
    shells = bond_shells(salt)
    assert "Na-Cl" in shells
    assert "Na-Na" not in shells
    assert shells["Na-Cl"][0] < 2.82 < shells["Na-Cl"][1] < 3.2
    assert bond_shells(salt, longest=2.7) == {}


def test_standard_error_sees_correlation():
    """AR(1) noise with rho = 0.8 has a variance of the mean (1 + rho) / (1 - rho) = 9 times the naive one."""
    rng = np.random.default_rng(4)
    x = np.zeros((4096, 20))
    for t in range(1, 4096):
        x[t] = 0.8 * x[t - 1] + rng.normal(size=20)
    assert standard_error(x)[1] == pytest.approx(9, rel=0.35)
    assert standard_error(rng.normal(size=(4096, 20)))[1] == pytest.approx(1, abs=0.5)


@pytest.mark.parametrize(
    ("gr", "cif", "limit"), [("NaCl.gr", "NaCl.cif", 0.10), ("Ni-q27r60-xray.gr", "ni.cif", 0.13)]
)
def test_measured_crystals(shared_data: Path, gr: str, cif: str, limit: float):
    """Scale, cell, Qdamp, U of each element fitted, 1.8 to 20 angstrom: Rw 0.081 (NaCl), 0.108 (Ni)."""
    data, crystal = load_gr(shared_data / "pdf_gr" / gr), load_trajectory(shared_data / "pdf_gr" / cif)
    inside = (data.r >= 1.8) & (data.r <= 20)
    r, y, names = data.r[inside], data.g[inside], list(crystal.composition)
    model = PdfModel(pair_histograms(crystal, r_max=21.0), r, data.q_max, data.q_min)

    def residual(p):
        return model(scale=p[0], stretch=p[1], q_damp=p[2], u_iso=dict(zip(names, p[3:], strict=True))) - y

    start = [0.7, 0.0, 0.03] + [0.01] * len(names)
    fit = least_squares(residual, start, x_scale=[1, 0.01, 0.01] + [0.01] * len(names))
    assert np.sqrt(fit.fun @ fit.fun / (y @ y)) < limit
    assert np.all((fit.x[3:] > 0.003) & (fit.x[3:] < 0.03))


def test_messages(salt):
    r = np.arange(1, 5, 0.1)
    with pytest.raises(DataError, match="count pairs with r_max >= 21"):
        PdfModel(salt, np.arange(1, 20.05, 0.1), 20.0)
    with pytest.raises(DataError, match="q_min < q_max"):
        PdfModel(salt, r, 5.0, 6.0)
    with pytest.raises(DataError, match=r"r_step <= 0\.005"):
        PdfModel(salt, r, 200.0)
    with pytest.raises(DataError, match="weights 'xrays'"):
        PdfModel(salt, r, 20.0, weights="xrays")
    with pytest.raises(SimulationError, match="no scattering length for Ta"):
        PdfModel(salt, r, 20.0, weights={"Na": 1.0, "Cl": 2.0})
    with pytest.raises(DataError, match="u_iso has no value for"):
        PdfModel(salt, r, 20.0)(u_iso={"Na": 0.1})
    with pytest.raises(DataError, match=r"stretch = 0\.3"):
        PdfModel(salt, r, 20.0)(stretch=0.3)
