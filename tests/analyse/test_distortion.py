"""Shape measures: closed forms, what must not change them, and pymatgen's ChemEnv."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from scipy.stats import chi2, kstest
from snapshots import frames

from shortrange.analyse.distortion import distortion, shape_measures
from shortrange.analyse.polyhedra import POLYHEDRA, vertex_orders
from shortrange.analyse.roles import find_roles
from shortrange.errors import DataError

ORDERS = {
    "tetrahedron": 24 // 12,
    "trigonal bipyramid": 120 // 6,
    "square pyramid": 120 // 4,
    "octahedron": 720 // 24,
    "trigonal prism": 720 // 6,
    "pentagonal bipyramid": 5040 // 10,
    "cube": 40320 // 24,
    "square antiprism": 40320 // 8,
    "square": 24 // 8,
}


def distorted(seed, scale=0.3, name="octahedron"):
    return POLYHEDRA[name] * 2.4 + np.random.default_rng(seed).normal(scale=scale, size=POLYHEDRA[name].shape)


@pytest.mark.parametrize("name", POLYHEDRA)
def test_reference_is_perfect_and_orders_are_counted(name):
    turned = 1.7 * POLYHEDRA[name] @ Rotation.from_euler("xyz", [0.3, 1.1, -0.4]).as_matrix()
    shuffled = turned[np.random.default_rng(0).permutation(len(turned))]
    for values in shape_measures(shuffled[None], polyhedron=name).values():
        assert values[0] == pytest.approx(0.0, abs=1e-6)
    assert len(vertex_orders(name)) == ORDERS[name]


def test_ideal_prism_against_the_octahedron(agreement):
    """Llunell, Alvarez and others give 16.737 for the regular trigonal prism (SHAPE manual)."""
    (value,) = shape_measures(POLYHEDRA["trigonal prism"][None], polyhedron="octahedron")["all"]
    agreement(
        "shape measure of the trigonal prism against the octahedron",
        ours=value,
        theirs=16.737,
        within=2e-3,
        by="SHAPE (Llunell et al.)",
        part="Snapshots",
    )


def test_stretched_octahedron_in_closed_form():
    """Ligands at 1 and, on one axis, at t: S = 100 (1 - (4 + 2t)^2 / (6 (4 + 2 t^2)))."""
    t = 1.3
    ligands = np.vstack([np.eye(3), -np.eye(3)])
    ligands[[2, 5]] *= t
    expected = 100 * (1 - (4 + 2 * t) ** 2 / (6 * (4 + 2 * t**2)))
    assert shape_measures(ligands[None])["atom"][0] == pytest.approx(expected, abs=1e-9)


def rattled(u, *, n=20_000, seed=0):
    """SIMULATED octahedra of bond 1: all seven atoms displaced by u along each axis (standard deviation)."""
    moved = np.random.default_rng(seed).normal(scale=u, size=(n, 7, 3))
    return np.vstack([np.eye(3), -np.eye(3)]) + moved[:, 1:] - moved[:, :1]


# What moves, turns or scales the whole octahedron distorts nothing. Of the 18 displacements of the ligands
# 18 - 3 - 3 - 1 = 11 are left about their centroid; with the central atom as a vertex 21 - 7 = 14. About the
# central atom their common shift counts as well: 3 more, each with 1 + 6 times the variance.
SMALL = {"ligands": (11, 0), "all": (14, 0), "atom": (11, 3)}


@pytest.mark.parametrize("origin", SMALL)
def test_small_displacements_in_closed_form(origin):
    """S = 100 u^2 (chi^2 of n + 7 chi^2 of m degrees of freedom) / 6 d^2, to first order in u^2 / d^2."""
    n, m = SMALL[origin]
    u = 0.005
    found = shape_measures(rattled(u))[origin] * 6 / (100 * u**2)
    error = np.sqrt(2 * n + 49 * 2 * m) / np.sqrt(found.size)
    # Four standard errors, and the next order.
    assert found.mean() == pytest.approx(n + 7 * m, abs=4 * error + 3 * u**2 * (n + 7 * m))
    assert found.var() == pytest.approx(2 * n + 98 * m, rel=0.1)
    if not m:
        assert kstest(found, chi2(n).cdf).pvalue > 1e-3


def test_hotter_is_more_distorted():
    """Harmonic bonds: u^2 = kT / K, so that the measure of SIMULATED octahedra grows in proportion to T."""
    temperatures, stiffness = np.array([100.0, 300.0, 600.0, 900.0, 1200.0]), 5.0  # K, eV per square angstrom
    bond, means, medians = 2.4, [], []
    for k, temperature in enumerate(temperatures):
        u = np.sqrt(8.617333e-5 * temperature / stiffness)
        ligands = bond * rattled(u / bond, n=2000, seed=k)
        run = frames(["Ta", *["Cl"] * 6], np.concatenate([np.zeros((2000, 1, 3)), ligands], axis=1))
        (found,) = distortion(run, find_roles(run))
        means.append(found.spreads["all"].mean)
        medians.append(found.spreads["all"].median)
    assert means == sorted(means)
    assert medians == sorted(medians)
    slope = 100 * 14 * 8.617333e-5 / stiffness / (6 * bond**2)
    # 1 % is the sampling error of 2000, and 3 u^2 / d^2 the next order.
    assert np.array(means) / (slope * temperatures) == pytest.approx(np.ones(5), abs=0.03)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.floats(0.01, 100))
def test_turns_scales_and_orders_change_nothing(seed, scale):
    rng = np.random.default_rng(seed)
    ligands = distorted(seed)
    moved = scale * (ligands @ Rotation.random(random_state=seed % 1000).as_matrix())[rng.permutation(6)]
    one, other = shape_measures(ligands[None]), shape_measures(moved[None])
    for convention in one:
        assert other[convention][0] == pytest.approx(one[convention][0], abs=1e-6)


def test_brute_force_over_all_orders():
    """All 720 permutations, each rotation by scipy."""
    from itertools import permutations

    p, q = distorted(3), POLYHEDRA["octahedron"]
    best = 0.0
    for order in permutations(range(6)):
        u, s, vt = np.linalg.svd(p[list(order)].T @ q)
        best = max(best, s[0] + s[1] + np.sign(np.linalg.det(u) * np.linalg.det(vt)) * s[2])
    expected = 100 * (1 - best**2 / ((p**2).sum() * (q**2).sum()))
    assert shape_measures(p[None])["atom"][0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["octahedron", "tetrahedron", "cube"])
def test_agrees_with_chemenv(name, agreement):
    """ChemEnv's own names of the three conventions, on isolated polyhedra."""
    from pymatgen.analysis.chemenv.coordination_environments.coordination_geometry_finder import (
        AbstractGeometry,
        LocalGeometryFinder,
    )

    symbol = {"octahedron": "O:6", "tetrahedron": "T:4", "cube": "C:8"}[name]
    names = {"atom": "csm_wocs_csc", "ligands": "csm_wocs_ctwocc", "all": "csm_wcs_ctwcc"}
    finder, off = LocalGeometryFinder(), 0.0
    for seed in range(4):
        ligands = distorted(seed, name=name, scale=0.15)
        finder.local_geometry = AbstractGeometry(
            central_site=np.zeros(3), bare_coords=ligands, centering_type="central_site"
        )
        found = finder.get_coordination_symmetry_measures(only_minimum=True, all_csms=True)[symbol]
        ours = shape_measures(ligands[None], polyhedron=name)
        for convention, theirs in names.items():
            off = max(off, abs(ours[convention][0] - found[theirs]))
    agreement(
        f"shape measure of the {name}, 3 origins, 4 distorted ones: largest difference",
        differ=off,
        below=1e-4,
        by="pymatgen, ChemEnv",
        part="Snapshots",
    )


@pytest.mark.parametrize(
    ("ligands", "polyhedron", "message"),
    [
        (np.zeros((1, 6, 3)), "octahedron", "at one place"),
        (np.ones((1, 6, 3)), "octahedron", "at one place"),
        (np.full((1, 6, 3), np.nan), "octahedron", "not a number"),
        (np.ones((1, 5, 3)), "octahedron", r"give \(n, 6, 3\)"),
        (np.ones((6, 3)), "octahedron", r"give \(n, 6, 3\)"),
        (np.ones((1, 6, 3)), "octahedrom", "did you mean 'octahedron'"),
    ],
)
def test_bad_polyhedra(ligands, polyhedron, message):
    with pytest.raises(DataError, match=message):
        shape_measures(ligands, polyhedron=polyhedron)
