"""Motifs: closed forms of their geometry, clashes, units relaxed by another program, bad input."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import shortrange as sr
from shortrange.errors import ShortrangeError
from shortrange.simulate.motifs import find_clashes, known_distances

ANGLES = st.floats(61.0, 180.0)
BONDS = st.floats(1.8, 3.0)


def own_bonds(motif, metal):
    return [motif.positions[b] - motif.positions[metal] for a, b in motif.bonds if a == metal]


@settings(max_examples=40, deadline=None)
@given(angle=ANGLES, bridge=BONDS, terminal=BONDS, twist=st.floats(0, 90))
def test_a_corner_is_what_was_asked_for(angle, bridge, terminal, twist):
    unit = sr.motif("corner", bridge="S", angle=angle, bridging=bridge, terminal=terminal, twist=twist)
    assert unit.formula == "Ta2SCl10"
    assert unit.metal_metal == pytest.approx(2 * bridge * np.sin(np.radians(angle) / 2))
    assert unit.angle(0, 2, 1) == pytest.approx(angle, abs=2e-5)
    for metal in (0, 1):
        rays = own_bonds(unit, metal)
        assert sorted(np.linalg.norm(rays, axis=1)) == pytest.approx(sorted([bridge] + [terminal] * 5))
        check_octahedron(rays)


def check_octahedron(rays):
    """Twelve right angles and three straight ones."""
    units = np.array([ray / np.linalg.norm(ray) for ray in rays])
    cosines = (units @ units.T)[np.triu_indices(6, 1)]
    assert np.sort(cosines) == pytest.approx([-1.0] * 3 + [0.0] * 12, abs=1e-9)


@pytest.mark.parametrize("kind", ["edge", "face"])
def test_regular_octahedra_share_an_edge_or_a_face(kind):
    """M-M is sqrt(2) d across a shared edge and 2 d / sqrt(3) across a shared face."""
    angle = {"edge": 90.0, "face": np.degrees(np.arccos(1 / 3))}[kind]
    unit = sr.motif(kind, angle=angle, bridging=2.4, terminal=2.4)
    assert unit.metal_metal == pytest.approx(2.4 * {"edge": np.sqrt(2), "face": 2 / np.sqrt(3)}[kind])
    for metal in (0, 1):
        check_octahedron(own_bonds(unit, metal))


@settings(max_examples=30, deadline=None)
@given(angle=st.floats(70.0, 110.0), first=st.floats(2.2, 2.7), second=st.floats(2.3, 2.7))
def test_an_edge_of_two_elements(angle, first, second):
    """Both shared atoms keep their distances; their own distance is the sum of two heights of triangles."""
    unit = sr.motif("edge", bridge="SCl", angle=angle, bridging={"S": first, "Cl": second})
    half = first * np.sin(np.radians(angle) / 2)
    heights = np.sqrt(first**2 - half**2), np.sqrt(second**2 - half**2)
    assert unit.distance(2, 3) == pytest.approx(sum(heights))
    for metal in (0, 1):
        assert unit.distance(metal, 2) == pytest.approx(first)
        assert unit.distance(metal, 3) == pytest.approx(second)


def test_rigid_corner_with_the_metals_of_an_edge_clashes():
    """Ta-Ta 3.69 and Ta-S 2.47 need a 97-degree bridge; no twist then keeps Cl farther apart than 2.15."""
    unit = sr.motif("corner", bridge="S", metal_metal=3.69, bridging=2.47, terminal=2.30)
    assert unit.parameters["angle"] == pytest.approx(96.66, abs=0.01)
    assert unit.clashes[0].pair == "Cl-Cl"
    assert unit.clashes[0].distance == pytest.approx(2.15, abs=0.01)
    turned = sr.motif("corner", bridge="S", metal_metal=3.69, bridging=2.47, terminal=2.30, twist=(0, 45))
    assert turned.clashes[0].distance == pytest.approx(2.02, abs=0.01)


@pytest.mark.parametrize("angle", [131.5, 140.0, 178.0])
def test_corners_of_relaxed_units_do_not_clash(angle):
    unit = sr.motif("corner", bridge="S", angle=angle)
    assert 4.5 <= unit.metal_metal <= 4.95
    assert unit.clashes == ()


@pytest.mark.parametrize(
    ("bridge", "low", "high"), [("SCl", 3.8, 4.05), ("S2", 3.6, 3.75), ("Cl2", 3.85, 4.0)]
)
def test_edges_with_known_angles_meet_relaxed_and_measured_units(bridge, low, high):
    """3.82 to 4.05, 3.64 to 3.66 (relaxed), 3.85 to 3.96 angstrom (TaCl5: G(r), crystal)."""
    unit = sr.motif("edge", bridge=bridge)
    assert low <= unit.metal_metal <= high
    assert unit.clashes == ()


def test_a_relaxed_unit_does_not_clash_and_a_squeezed_one_does():
    """Positions of [Ta2Cl10S] with two Na, relaxed by SevenNet l3i5 (simulated)."""
    path = Path(__file__).parents[1] / "data" / "simulated_corner_unit.extxyz"
    unit = sr.load_trajectory(path)
    keep = [i for i, symbol in enumerate(unit.species) if symbol != "Na"]
    species = [unit.species[i] for i in keep]
    positions = unit.positions[0][keep]
    metals = [i for i, symbol in enumerate(species) if symbol == "Ta"]
    gaps = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    bonds = [(m, i) for m in metals for i in range(len(species)) if i not in metals and gaps[m, i] < 2.8]
    assert len(bonds) == 12
    assert find_clashes(species, positions, bonds=bonds, metals=metals) == ()
    assert find_clashes(species, 0.85 * positions, bonds=bonds, metals=metals)


def test_substitution_and_other_elements():
    unit = sr.motif("octahedron", substitute="S", terminal={"Cl": 2.35, "S": 2.2})
    assert unit.formula == "TaSCl5"
    assert unit.distance(0, 1) == pytest.approx(2.2)
    zirconium = sr.motif("edge", metal="Zr", ligand="Br", terminal=2.5, bridging=2.7)
    assert zirconium.formula == "Zr2Br10"
    assert zirconium.metal_metal == pytest.approx(2.7 * np.sqrt(2))
    assert zirconium.sources == {}


def test_sources_of_what_was_not_given():
    unit = sr.motif("corner", bridge="S", bridging=2.44)
    assert set(unit.sources) == {"terminal Ta-Cl", "angle"}
    assert all(known.source and known.sigma > 0 for known in known_distances().values())


def test_a_box_is_large_enough_for_periodic_programs():
    frame = sr.motif("corner", bridge="S", angle=150).trajectory(box=True)
    inside = frame.positions[0] @ np.linalg.inv(frame.cells[0])
    assert (inside > 0).all()
    assert (inside < 1).all()
    assert frame.half_width > 13.0


BAD = [
    (("cornr",), {}, "did you mean 'corner'"),
    (("",), {}, "choose from"),
    (("corner",), {"bridge": "S2"}, "is not 1 atom"),
    (("edge",), {"bridge": "S"}, "write, say, Cl2, SCl or S2"),
    (("face",), {"bridge": "SCl"}, "is not 3 atoms"),
    (("corner",), {"bridge": "S0.5"}, "is not 1 atom"),
    (("corner",), {"bridge": "Q"}, "not a chemical element"),
    (("corner",), {"metal": "Xx"}, "not a chemical element"),
    (("corner",), {"angle": 20.0}, "60 to 180"),
    (("corner",), {"angle": 181.0}, "60 to 180"),
    (("corner",), {"angle": float("nan")}, "60 to 180"),
    (("corner",), {"angle": 120.0, "metal_metal": 4.0}, "give one"),
    (("corner",), {"metal_metal": 6.0}, "cannot share an atom"),
    (("corner",), {"metal_metal": -1.0}, "cannot share an atom"),
    (("edge",), {"bridge": "SCl", "bridging": {"S": 2.6, "Cl": 1.5}, "angle": 150.0}, "lengthen it"),
    (("edge",), {"twist": 10.0}, "no meaning for the motif 'edge'"),
    (("octahedron",), {"bridge": "S"}, "no meaning for the motif 'octahedron'"),
    (("corner",), {"substitute": "S"}, "no meaning for the motif 'corner'"),
    (("corner",), {"terminal": 23.0}, "is no bond"),
    (("corner",), {"terminal": float("nan")}, "is no bond"),
    (("corner",), {"bridge": "S", "bridging": {"s": 2.4}}, "did you mean|choose from"),
    (("corner",), {"bridge": "S", "terminal": {"Br": 2.4}}, "terminal atoms are Cl"),
    (("corner",), {"metal": "Nb"}, "no bridging Nb-Cl distance is known"),
    (("corner",), {"twist": (1.0, 2.0, 3.0)}, "one angle, or two"),
]


@pytest.mark.parametrize(("words", "options", "said"), BAD)
def test_what_cannot_be_built_is_refused_with_advice(words, options, said):
    with pytest.raises(ShortrangeError, match=said) as caught:
        sr.motif(*words, **options)
    assert caught.value.do
