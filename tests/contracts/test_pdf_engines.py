"""What every engine of G(r) has to fulfil, ours in each convention and those of others if they are installed.

The reference files were written by diffpy.pdffit2 1.5.2 and diffpy.srreal 1.4.0; their headers give the call.
"""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from ase.io import read

from shortrange.errors import DataError, SimulationError
from shortrange.quantities import Trajectory
from shortrange.simulate.pdf_engines import PdfSettings, calculate_gr

NEEDS = {"pdffit2": "diffpy.pdffit2", "srreal": "diffpy.srreal.pdfcalculator"}
ENGINES = [
    ("numba", "debye"),
    ("numba", "pdffit2"),
    ("numba", "srreal"),
    ("pdffit2", "pdffit2"),
    ("srreal", "srreal"),
]
U = {"ni_fcc": 0.005, "nacl": {"Na": 0.015, "Cl": 0.012}, "natacl6_128": 0.003}
KINDS = {
    "noqmax": {},
    "noqmax_spdiameter15": {"diameter": 15.0},
    "noqmax_delta1_0.5": {"delta1": 0.5},
    "noqmax_delta2_2.0": {"delta2": 2.0},
    "qmax24": {"q_max": 24.0},
    "qmax24_qdamp0.03_qbroad0.02_delta2_2.0": {
        "q_max": 24.0, "q_damp": 0.03, "q_broad": 0.02, "delta2": 2.0,
    },
    "qmax24_qmin0.8_qdamp0.03_qbroad0.02": {"q_max": 24.0, "q_min": 0.8, "q_damp": 0.03, "q_broad": 0.02},
}  # fmt: skip


@pytest.fixture(params=ENGINES, ids=[f"{e}-{c}" for e, c in ENGINES])
def engine(request: pytest.FixtureRequest):
    """An engine and the convention it follows."""
    name, convention = request.param
    if name in NEEDS:
        try:
            import_module(NEEDS[name])
        except ImportError as error:
            pytest.skip(f"{name} is not installed: {error}")
    return name, convention


def salt(noise: float = 0.0) -> Trajectory:
    """Eight atoms of rocksalt in an oblique cell."""
    cell = np.array([[5.64, 0, 0], [0.9, 5.6, 0], [0.3, -0.5, 5.7]])
    corners = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    places = np.concatenate([corners, corners + np.array([0.5, 0, 0])]) @ cell
    places = places + noise * np.random.default_rng(1).normal(size=places.shape)
    return Trajectory(species=("Na",) * 4 + ("Cl",) * 4, positions=places[None], cells=cell[None])


def run(engine, structure: Trajectory, **settings) -> np.ndarray:
    name, convention = engine
    given = {"r_max": 10.0, "u_iso": 0.01} | settings
    return calculate_gr(structure, PdfSettings(**given), engine=name, convention=convention)


@pytest.mark.parametrize("name", U)
@pytest.mark.parametrize("kind", KINDS)
def test_reference_files(engine, shared_data: Path, name: str, kind: str):
    """In their own conventions, to 1e-5 of the largest value; the programs' own cut-offs leave 5e-6."""
    source = "srreal" if engine[1] == "debye" else engine[1]
    path = shared_data.parent / "reference" / f"{name}__{source}__{kind}.txt"
    if not path.is_file():
        pytest.skip(f"{source} has no reference file of {kind}")
    expected = np.loadtxt(path)
    expected = expected[expected[:, 0] > 1e-9]
    atoms = read(path.parent / f"{name}.extxyz")
    crystal = Trajectory(
        species=tuple(atoms.get_chemical_symbols()),
        positions=atoms.positions[None],
        cells=np.array(atoms.cell)[None],
    )
    g = run(engine, crystal, r_max=20.0, u_iso=U[name], **KINDS[kind])[: len(expected)]
    # srreal ends F(Q) at a multiple of its own step, and peaks 1.6 angstrom beyond the last point.
    limit, last = (7e-3, 16.0) if engine[1] == "debye" and "qmax24" in kind else (1e-5, 20.0)
    inside = expected[:, 0] < last + 1e-9
    assert np.abs(g - expected[:, 1])[inside].max() < limit * np.abs(expected[:, 1]).max()


def test_convention_is_that_of_the_program_that_runs(engine):
    """Settings of no reference file, up to and with the last point; 1e-5 as for the files."""
    name, convention = engine
    if name == "numba":
        pytest.skip("compared with the program, which runs as another engine")
    settings = {"q_max": 21.0, "q_damp": 0.04, "q_broad": 0.01, "delta1": 0.2, "u_iso": 0.008, "r_max": 12.0}
    for weights in ("xray-constant", "neutron"):
        if weights == "neutron":
            pytest.importorskip("periodictable", reason="neutron lengths come from periodictable")
        theirs = run(engine, salt(noise=0.1), weights=weights, **settings)
        ours = run(("numba", convention), salt(noise=0.1), weights=weights, **settings)
        # Tables of lengths differ in the fourth digit; those of form factors do not at Q = 0.
        limit = 1e-5 if weights == "xray-constant" else 1e-3
        assert np.abs(theirs - ours).max() < limit * np.abs(theirs).max()


def test_baseline(engine):
    r = np.arange(1, 1001) * 0.01
    g = run(engine, salt())
    low = r < 1.2
    assert g[low] == pytest.approx(-4 * np.pi * r[low] * salt().number_density, abs=1e-4)


def test_area_of_a_peak_is_the_number_of_neighbours(engine):
    """Integral of r [G + 4 pi r rho0] over the first peak of a metal: 12, for 1/r and for 1/r_ij."""
    cell = np.array([[0, 3, 3], [3, 0, 3], [3, 3, 0.0]])
    metal = Trajectory(species=("Ni",), positions=np.zeros((1, 1, 3)), cells=cell[None])
    g = run(engine, metal, u_iso=0.003, r_max=5.5)
    r = np.arange(1, 551) * 0.01
    inside = (r > 3.5) & (r < 5.0)
    total = r * (g + 4 * np.pi * r * metal.number_density)
    assert np.sum(total[inside]) * 0.01 == pytest.approx(12, rel=2e-4)


def test_scaling_everything(engine):
    """Lengths times x and U times x^2 give G(r / x) / x^2: no hidden length but the Q range."""
    g = run(engine, salt(noise=0.1))
    moved = salt(noise=0.1)
    scaled = Trajectory(species=moved.species, positions=1.25 * moved.positions, cells=1.25 * moved.cells)
    larger = run(engine, scaled, r_max=12.5, r_step=0.0125, u_iso=0.01 * 1.25**2) * 1.25**2
    assert larger == pytest.approx(g, abs=2e-5 * np.abs(g).max())


def test_qdamp_is_an_envelope(engine):
    r = np.arange(1, 1001) * 0.01
    g = run(engine, salt())
    assert run(engine, salt(), q_damp=0.05) == pytest.approx(
        g * np.exp(-0.5 * (0.05 * r) ** 2), abs=1e-9 * np.abs(g).max() + 1e-9
    )


def test_sphere_is_an_envelope(engine):
    r = np.arange(1, 1001) * 0.01
    g = run(engine, salt())
    x = r / 9.0
    shape = np.where(x < 1, 1 - 1.5 * x + 0.5 * x**3, 0)
    assert run(engine, salt(), diameter=9.0) == pytest.approx(g * shape, abs=1e-6 * np.abs(g).max())


def test_neutron_weights_of_one_element_are_one(engine):
    metal = Trajectory(species=("Ni",), positions=np.zeros((1, 1, 3)), cells=2.5 * np.eye(3)[None])
    pytest.importorskip("periodictable", reason="neutron lengths come from periodictable")
    xray, neutron = run(engine, metal), run(engine, metal, weights="neutron")
    assert neutron == pytest.approx(xray, abs=1e-5 * np.abs(xray).max())


def test_frames_average(engine):
    one, two = salt(noise=0.1), salt()
    both = Trajectory(
        species=one.species,
        positions=np.concatenate([one.positions, two.positions]),
        cells=np.concatenate([one.cells, two.cells]),
    )
    mean = (run(engine, one, q_max=20.0) + run(engine, two, q_max=20.0)) / 2
    assert run(engine, both, q_max=20.0) == pytest.approx(mean, abs=2e-6 * np.abs(mean).max())


def test_bad_settings(engine):
    for bad in (
        {"r_max": -1.0}, {"r_max": np.nan}, {"r_step": 0.0}, {"q_max": 5.0, "q_min": 6.0},
        {"q_max": 400.0}, {"q_min": 1.0}, {"u_iso": 0.0}, {"u_iso": {"Na": 0.01}},
        {"u_iso": -0.01}, {"u_iso": 0.0, "delta2": 1.0, "q_max": 20.0},
    ):  # fmt: skip
        with pytest.raises(DataError, match="do:"):
            run(engine, salt(), **bad)


def test_unknown_engine_and_convention():
    with pytest.raises(SimulationError, match="did you mean 'pdffit2'"):
        run(("pdffit", None), salt())
    with pytest.raises(SimulationError, match="does not calculate in the convention"):
        run(("pdffit2", "debye"), salt())


def test_refusals(engine):
    name, convention = engine
    if convention != "debye":
        with pytest.raises(SimulationError, match=r"f\(Q\)|weights 'xray'"):
            run(engine, salt(), weights="xray", q_max=20.0)
    if convention == "pdffit2":
        with pytest.raises(SimulationError, match="q_min"):
            run(engine, salt(), q_min=0.5, q_max=20.0)
    if name != "numba":
        molecule = Trajectory(species=("Cl", "Cl"), positions=np.array([[[0, 0, 0], [0, 0, 2.0]]]))
        with pytest.raises(SimulationError, match="molecule"):
            run(engine, molecule)


def test_imaginary_width_is_refused():
    with pytest.raises(DataError, match="give smaller delta1 and delta2"):
        run(("numba", "debye"), salt(), delta2=20.0)
