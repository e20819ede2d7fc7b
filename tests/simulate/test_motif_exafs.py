"""EXAFS of motifs: the ensemble's at rest, closed forms of motion, structures that tables did not foresee."""

import numpy as np
import pytest

from shortrange.errors import ShortrangeError
from shortrange.simulate.exafs import ensemble_exafs
from shortrange.simulate.exafs.motif import MotifExafs
from shortrange.simulate.motifs import motif_hypothesis

K = np.arange(0.0, 14.01, 0.05)
REST = {"sigma2_bond": 0.0, "sigma2_metal": 0.0, "sigma2_far": 0.0}


@pytest.fixture(scope="module")
def edge():
    return MotifExafs(
        motif_hypothesis("edge", bridge="S2", angle=(97.0, 1.0)), absorber="Ta", edge="L3", r_max=4.5
    )


def start_of(model, **changed):
    return {p.name: p.value for p in model.hypothesis.structural} | changed


def close(ours, theirs, part):
    inside = K > 2
    assert np.abs(ours - theirs)[inside].max() < part * np.abs(theirs)[inside].max()


@pytest.mark.parametrize("angle", [95.5, 97.0, 98.3])
def test_at_rest_it_is_the_exafs_of_the_molecule(edge, angle):
    values = start_of(edge, angle=angle)
    whole = ensemble_exafs(
        edge.hypothesis.build(values).trajectory(), absorber="Ta", edge="L3", r_max=4.5, k=K, check=False,
        potentials=edge.potentials,
    )  # fmt: skip
    close(edge(K, values, **REST), whole.chi, 1e-4)
    parts = edge.contributions(K, values, **REST)
    close(sum(parts.values()), whole.chi, 1e-4)
    close(parts["Ta-Ta"], whole.contributions["Ta-Ta"], 1e-4)


def test_a_metal_off_the_centre_has_the_exafs_of_that_molecule():
    unit = motif_hypothesis("octahedron", distortion=(0.15, 0.05))
    model = MotifExafs(unit, absorber="Ta", edge="L3", r_max=3.6)
    values = start_of(model, distortion=0.2)
    whole = ensemble_exafs(
        unit.build(values).trajectory(), absorber="Ta", edge="L3", r_max=3.6, k=K, check=False,
        potentials=model.potentials,
    )  # fmt: skip
    close(model(K, values, **REST), whole.chi, 1e-4)
    # Three bonds 0.23 angstrom shorter than the other three: they beat where 2 k 0.23 = pi.
    split = model(K, values, **REST)
    level = [np.abs(split[np.abs(K - k) < 1.0]).max() * k**2 for k in (3.5, 6.8)]
    assert level[1] < level[0]


def test_limits_of_the_distortion_end_where_ligands_clash():
    corner = motif_hypothesis("corner", bridge="S", angle=125.0, distortion=(0.0, 0.1))
    moved = next(p for p in corner.structural if p.name == "distortion")
    values = {p.name: p.value for p in corner.structural}
    assert moved.upper < 0.29
    assert corner.build(values | {"distortion": moved.upper - 1e-5}).clashes == ()
    assert corner.build(values | {"distortion": moved.upper + 0.02}).clashes


def test_motion_damps_each_kind_of_path_by_its_own_width(edge):
    values = start_of(edge)
    still = edge.contributions(K, values, **REST)
    moving = edge.contributions(K, values, sigma2_bond=0.004, sigma2_metal=0.01, sigma2_far=0.02)
    for label, width in (("Ta-Ta", 0.01), ("Ta-Cl-Cl triangle", 0.02)):
        close(moving[label], still[label] * np.exp(-2 * K**2 * width), 2e-3)
    # All S within 4.5 angstrom is bonded; Cl beyond the other metal is not.
    close(moving["Ta-S"], still["Ta-S"] * np.exp(-2 * K**2 * 0.004), 2e-3)


def test_a_structure_beyond_the_limits_extends_the_tables(edge):
    values = start_of(edge, angle=108.0, terminal_Cl=2.6)
    whole = ensemble_exafs(
        edge.hypothesis.build(values).trajectory(), absorber="Ta", edge="L3", r_max=4.5, k=K, check=False,
        potentials=edge.potentials,
    )  # fmt: skip
    close(edge(K, values, **REST), whole.chi, 1e-4)


def test_limits_of_the_angle_end_where_ligands_clash():
    corner = motif_hypothesis("corner", bridge="S")
    angle = corner.structural[0]
    values = {p.name: p.value for p in corner.structural}
    assert 110 < angle.lower < 120
    assert corner.build(values | {"angle": angle.lower + 0.01}).clashes == ()
    assert corner.build(values | {"angle": angle.lower - 1.5}).clashes
    squeezed = motif_hypothesis("corner", bridge="S", angle=(97.0, 3.0))
    assert "clash" in squeezed.warnings[0]


def test_priors_are_those_given_or_known():
    unit = motif_hypothesis("edge", bridge="SCl", terminal={"Cl": (2.3, 0.02)}, bridging={"S": 2.45})
    by_name = {p.name: p for p in unit.structural}
    assert (by_name["terminal_Cl"].value, by_name["terminal_Cl"].sigma) == (2.3, 0.02)
    assert by_name["terminal_Cl"].source == "the project"
    assert (by_name["bridging_S"].value, by_name["bridging_S"].sigma) == (2.45, 0.05)
    assert "Rabe" in by_name["bridging_Cl"].source
    assert "distortion" not in by_name
    moved = motif_hypothesis("octahedron", distortion=0.1).structural[-1]
    assert (moved.name, moved.value, moved.sigma, moved.lower) == ("distortion", 0.1, 0.1, 0.0)
    assert "simulated" in moved.source
    foreign = motif_hypothesis("octahedron", metal="Zr", ligand="Br", terminal={"Br": 2.5})
    assert foreign.structural[0].sigma == 0.05


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"angle": (140.0, 0.0)}, "positive number"),
        ({"angle": (140.0, float("nan"))}, "positive number"),
        ({"terminal": {"Cl": (2.3, -0.1)}}, "positive number"),
        ({"terminal": {"Br": 2.5}}, "terminal atoms are Cl"),
        ({"angle": (20.0, 5.0)}, "60 to 180"),
        ({"metal": "Nb"}, "no bridging Nb-S distance"),
        ({"distortion": (0.1, 0.0)}, "the standard deviation of the distortion is 0"),
        ({"distortion": -0.9}, "give -0.6 to 0.6"),
    ],
)
def test_bad_priors_are_refused(settings, said):
    with pytest.raises(ShortrangeError, match=said):
        motif_hypothesis("corner", bridge="S", **settings)


def test_another_absorber_or_potentials_without_an_element_are_refused(edge):
    with pytest.raises(ShortrangeError, match="the metal of the motif is Ta, the absorber is Zr"):
        MotifExafs(motif_hypothesis("octahedron"), absorber="Zr", edge="K")
    bromide = motif_hypothesis("octahedron", ligand="Br", terminal={"Br": 2.5})
    with pytest.raises(ShortrangeError, match="the potentials have no Br"):
        MotifExafs(bromide, absorber="Ta", edge="L3", potentials=edge.potentials)
