"""Motifs: closed forms of their geometry, clashes, units relaxed by another program, bad input."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import shortrange as sr
from shortrange.errors import ShortrangeError
from shortrange.simulate.motifs import find_clashes, known_distances

STRUCTURES = Path(__file__).parents[2] / "studies" / "structures"
ANGLES = st.floats(61.0, 180.0)
BONDS = st.floats(1.8, 3.0)


def own_bonds(motif, metal):
    return [motif.positions[b] - motif.positions[metal] for a, b in motif.bonds if a == metal]


@settings(max_examples=40)
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


@settings(max_examples=30)
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


@given(length=BONDS, moved=st.floats(0.0, 0.5))
def test_a_metal_off_the_centre_of_one_octahedron_has_three_shorter_bonds(length, moved):
    unit = sr.motif("octahedron", terminal=length, distortion=moved)
    plus, minus = (np.sqrt(length**2 + s * 2 * length * moved / np.sqrt(3) + moved**2) for s in (1, -1))
    bonds = np.linalg.norm(own_bonds(unit, 0), axis=1)
    assert np.sort(bonds) == pytest.approx([minus] * 3 + [plus] * 3)
    # The ligands have not moved against each other.
    assert unit.distance(1, 2) == pytest.approx(2 * length)
    assert unit.distance(1, 3) == pytest.approx(np.sqrt(2) * length)


@pytest.mark.parametrize("kind", ["corner", "edge", "face"])
@pytest.mark.parametrize("moved", [-0.1, 0.2])
def test_metals_away_from_a_bridge_keep_their_bonds(kind, moved):
    """Ligands that stood at an angle to the axis are seen from d farther along it, at the same distance."""
    rigid, unit = (sr.motif(kind, bridging=2.5, terminal=2.3, **more) for more in ({}, {"distortion": moved}))
    assert unit.metal_metal == pytest.approx(rigid.metal_metal)
    assert unit.angle(0, unit.shared[0], 1) == pytest.approx(rigid.angle(0, unit.shared[0], 1))
    for metal in (0, 1):
        axis = unit.positions[metal] - unit.positions[list(unit.shared)].mean(axis=0)
        axis /= np.linalg.norm(axis)
        for before, after in zip(own_bonds(rigid, metal), own_bonds(unit, metal), strict=True):
            assert np.linalg.norm(after) == pytest.approx(np.linalg.norm(before))
        ends = [i for m, i in unit.bonds if m == metal and i not in unit.shared]
        along = (rigid.positions[ends] - rigid.positions[metal]) @ axis
        across = np.sqrt(2.3**2 - along**2)
        angle = np.arctan2(across, along - moved)
        found = (unit.positions[ends] - unit.positions[metal]) @ axis / 2.3
        assert found == pytest.approx(np.cos(angle))


def test_a_metal_towards_its_substitute_keeps_its_bonds():
    unit = sr.motif("octahedron", substitute="S", distortion=0.115)
    assert np.linalg.norm(own_bonds(unit, 0), axis=1) == pytest.approx([2.28] + [2.32] * 5)
    assert unit.angle(1, 0, 2) == pytest.approx(180.0)
    assert unit.angle(1, 0, 3) == pytest.approx(90 + np.degrees(np.arctan(0.115 / 2.32)))


# Distances and displacements fitted to units relaxed by SevenNet-MF R2SCAN (simulated); rms of all
# distances with the displacement and without it, angstrom.
RELAXED = {
    "Ta2Cl10_edge_muCl2": (
        ("edge",), {"bridge": "Cl2", "angle": 101.1, "terminal": 2.28, "bridging": 2.536}, 0.197, 0.04, 0.075
    ),
    "NaTaCl6": (("octahedron",), {"terminal": 2.36}, 0.163, 0.025, 0.05),
    "Na2TaCl5S": (
        ("octahedron",), {"substitute": "S", "terminal": {"Cl": 2.406, "S": 2.248}}, 0.115, 0.025, 0.04
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RELAXED)
def test_relaxed_units_are_met_with_metals_off_the_centre(name):
    words, options, moved, near, far = RELAXED[name]
    unit = sr.load_trajectory(STRUCTURES / f"mf0-R2SCAN_{name}.extxyz")
    keep = [i for i, symbol in enumerate(unit.species) if symbol != "Na"]
    target = distances([unit.species[i] for i in keep], unit.positions[0][keep])

    def misfit(built):
        ours = distances(built.species, built.positions)
        return np.sqrt(np.mean(np.concatenate([ours[pair] - target[pair] for pair in target]) ** 2))

    assert misfit(sr.motif(*words, **options, distortion=moved)) < near
    assert misfit(sr.motif(*words, **options)) > far


def distances(species, positions):
    """Sorted distances of each pair of elements."""
    found = {}
    for i in range(len(species)):
        for j in range(i):
            pair = "-".join(sorted((species[i], species[j])))
            found.setdefault(pair, []).append(np.linalg.norm(positions[i] - positions[j]))
    return {pair: np.sort(values) for pair, values in found.items()}


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
    (("octahedron",), {"substitute": "Cl"}, "the substitute is Cl as all ligands are"),
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
    (("corner",), {"distortion": 0.7}, "give -0.6 to 0.6"),
    (("octahedron",), {"distortion": -0.1}, "give 0 to 0.6"),
    (("octahedron",), {"distortion": float("nan")}, "displaced by nan"),
]


@pytest.mark.parametrize(("words", "options", "said"), BAD)
def test_what_cannot_be_built_is_refused_with_advice(words, options, said):
    with pytest.raises(ShortrangeError, match=said) as caught:
        sr.motif(*words, **options)
    assert caught.value.do
