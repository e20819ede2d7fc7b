"""Shape measures: closed forms, what must not change them, and pymatgen's ChemEnv."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from shortrange.analyse.distortion import shape_measures
from shortrange.analyse.polyhedra import POLYHEDRA, vertex_orders
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


@settings(max_examples=25, deadline=None)
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
