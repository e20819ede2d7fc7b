"""Projects whose models are motifs: what is checked, and what may be wrong with them."""

import re

import numpy as np
import pytest

from shortrange.config import MotifModel, read_project
from shortrange.errors import DataError, ProjectError
from shortrange.quantities import GR
from shortrange.run import check_project, load_inputs, run_project
from shortrange.run.motif_gr import motifs_in_sample
from shortrange.run.pipeline import reduce
from shortrange.run.scattering import compare_gr, simulate_pairs

MOTIFS = """
[[model]]
name = "corner"
motif = "corner"
bridge = "S"
angle = [140, 15]
bridging = {S = 2.45}
distortion = [0.05, 0.08]

[[model]]
name = "isolated"
motif = "octahedron"
"""


@pytest.fixture
def project(example):
    """The shipped project with its absorption scans alone, and motifs for models."""
    file = example / "project.toml"
    text = file.read_text()
    file.write_text(text[: text.index('[[measurement]]\nname = "PDF"')] + MOTIFS)
    return file


def test_motifs_are_read_and_checked(project):
    asked = read_project(project)
    assert isinstance(asked.model[0], MotifModel)
    inputs = load_inputs(asked)
    assert set(inputs.motifs) == {"corner", "isolated"}
    assert inputs.motifs["corner"].structural[0].sigma == 15.0
    moved = inputs.motifs["corner"].structural[-1]
    assert (moved.name, moved.value, moved.sigma) == ("distortion", 0.05, 0.08)
    assert inputs.models["corner"].composition == {"Ta": 2, "S": 1, "Cl": 10}
    texts = [f.text for f in check_project(asked) if f.level == "warning" and "corner" in f.where]
    assert any("a bare unit" in text for text in texts)


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ('motif = "corner"', 'motif = "cornr"', "did you mean 'corner'"),
        ('motif = "octahedron"', "", "name a file, or a motif"),
        ('motif = "octahedron"', 'motif = "octahedron"\nstructures = "project.toml"', "not both"),
        ('bridge = "S"', 'brigde = "S"', "did you mean 'bridge'"),
        ("angle = [140, 15]", "angle = [140, 15, 1]", "a number, or .mean, standard deviation."),
        ("angle = [140, 15]", 'angle = "wide"', "a number, or .mean, standard deviation."),
        ("bridging = {S = 2.45}", "bridging = {S = true}", "a number, or .mean, standard deviation."),
        ("distortion = [0.05, 0.08]", "distortion = true", "a number, or .mean, standard deviation."),
        ('motif = "octahedron"', 'motif = "octahedron"\nligand = "Q"', "no chemical element"),
    ],
)
def test_faults_of_the_table(project, good, bad, said):
    project.write_text(project.read_text().replace(good, bad))
    with pytest.raises(ProjectError) as caught:
        read_project(project)
    assert re.search(said, str(caught.value))


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("angle = [140, 15]", "angle = 20", "60 to 180"),
        ("angle = [140, 15]", "angle = [140, -1]", "positive number"),
        ("distortion = [0.05, 0.08]", "distortion = 1.5", "give -0.6 to 0.6"),
        ('bridge = "S"', 'bridge = "S2"', "is not 1 atom"),
        ("bridging = {S = 2.45}", "bridging = {O = 1.9}", "bridging atoms are S"),
        ('motif = "octahedron"', 'motif = "octahedron"\nmetal = "Nb"', "no terminal Nb-Cl distance"),
        ('motif = "octahedron"', 'motif = "octahedron"\nbridge = "S"', "no meaning"),
        (
            'motif = "octahedron"',
            'motif = "octahedron"\nmetal = "Nb"\nterminal = {Cl = 2.3}',
            "metal is Nb, the absorber",
        ),
    ],
)
def test_motifs_that_cannot_be_built_are_faults(project, good, bad, said):
    project.write_text(project.read_text().replace(good, bad))
    with pytest.raises(ProjectError, match=said):
        load_inputs(read_project(project))


@pytest.fixture
def scattering(example):
    """The shipped project with its pattern alone, and motifs beside two models of snapshots."""
    file = example / "project.toml"
    text = file.read_text()
    start, pdf = text.index("[[measurement]]"), text.index('[[measurement]]\nname = "PDF"')
    models = text.index('[[model]]\nname = "edge-sharing mu-S,mu-Cl"')
    file.write_text(text[:start] + text[pdf:models] + MOTIFS)
    return file


def compared(file, **changed):
    project = read_project(file)
    inputs = load_inputs(project)
    (measurement,) = project.measurement
    reduction = changed.get("reduction") or reduce(measurement, project, inputs)
    snapshots = {name: m for name, m in inputs.models.items() if name not in inputs.motifs}
    around = motifs_in_sample(measurement, reduction, inputs.motifs, project.sample)
    pairs = simulate_pairs(measurement, snapshots, tell=lambda _: None)
    return compare_gr(measurement, reduction, pairs, motifs=around)


def test_motifs_and_snapshots_are_compared_on_the_same_points_of_gr(scattering):
    found = compared(scattering)
    assert set(found.terms) == {"corner-sharing mu-S", "edge-sharing (mu-S)2", "corner", "isolated"}
    assert found.settings["r_range"] == [1.9, 5.0]
    assert all(np.array_equal(t.curve, found.terms["corner"].curve) for t in found.terms.values())
    assert found.terms["corner"].left_out is not None
    assert found.terms["corner-sharing mu-S"].left_out is None
    assert found.strengths["corner"] == found.strengths["isolated"] == 1.0
    assert found.settings["surroundings"]["number_density"] == 0.0335
    assert "SIMULATED" in found.settings["surroundings"]["source"]
    assert found.settings["simulation"]["corner"]["angles"]
    text = " ".join(found.warnings)
    assert "'corner', 'isolated': bare units, compared from 1.9 to 5 angstrom" in text
    assert "between units lies an unknown curve" in text
    assert all(set(terms) == set(found.terms) for terms in found.controls.values())


def test_a_gr_of_any_scale_and_a_sample_of_other_elements(scattering):
    """A finished G(r), twice as large: one prior of the scale for snapshots and motifs."""
    reduced = compared(scattering).terms["corner"]
    gr = GR(r=reduced.x, g=2.0 * reduced.curve, sigma=np.full(reduced.x.size, 0.05), q_min=0.8, q_max=23.0)
    scattering.write_text(scattering.read_text().replace("NaTaCl5S0.5", "NaTaCl5Se0.5"))
    found = compared(scattering, reduction=gr)
    scales = {next(p.prior for p in t.parameters if p.name == "scale") for t in found.terms.values()}
    assert len(scales) == 1
    assert next(iter(scales))[0] == pytest.approx(2.0, rel=0.2)
    assert any("the sample holds Se" in text for text in found.warnings)
    scattering.write_text(scattering.read_text().replace("number_density", "# number_density"))
    with pytest.raises(DataError, match="state number_density"):
        compared(scattering, reduction=gr)


def test_motifs_beyond_their_range_and_without_their_metal(scattering):
    text = scattering.read_text()
    scattering.write_text(text.replace("q_range = [0.8", "r_range = [1.9, 6.0]\nq_range = [0.8"))
    with pytest.raises(DataError, match="end r_range at 5"):
        compared(scattering)
    niobium = 'motif = "octahedron"\nmetal = "Nb"\nterminal = {Cl = 2.3}'
    scattering.write_text(text.replace('motif = "octahedron"', niobium))
    with pytest.raises(ProjectError, match="metal is Nb, which the sample does not hold"):
        load_inputs(read_project(scattering))


def test_a_run_says_what_stands_for_the_surroundings(scattering):
    """Corner-sharing Ta (simulated): G(r) alone refutes an edge of two Cl, not a corner or its mixture."""
    text = scattering.read_text()
    edge = '[[model]]\nname = "edge, Cl2"\nmotif = "edge"\nbridge = "Cl2"\n'
    mixture = '[[mixture]]\nname = "both"\nof = ["corner", "isolated"]\n'
    scattering.write_text(text[: text.index("[[model]]")] + MOTIFS + edge + mixture)
    verdict = run_project(read_project(scattering)).verdict
    chances = {model.name: model.probability for model in verdict.models}
    assert chances["edge, Cl2"] < 0.01
    assert chances["corner"] > 0.1
    assert verdict.settings["measurements"]["PDF"]["surroundings"]["sigma"][0] < 0.15
    assert any("between units lies an unknown curve" in text for text in verdict.warnings)
    assert not any("is not in its EXAFS" in text for text in verdict.warnings)
    (both,) = (model for model in verdict.models if model.name == "both")
    assert "between units" in both.fits[0].contributions
    assert 0.0 < both.shares[0].value < 1.0


def test_a_motif_is_mixed_with_motifs_only(project):
    mixture = '[[mixture]]\nname = "both"\nof = ["corner", "isolated"]\n'
    project.write_text(project.read_text() + mixture)
    assert read_project(project).mixture[0].of == ("corner", "isolated")
    model = '[[model]]\nname = "box"\nstructures = "models/corner.extxyz"\n'
    project.write_text(project.read_text().replace('"isolated"]', '"box"]') + model)
    with pytest.raises(ProjectError, match="is a motif, no phase of its own"):
        read_project(project)


def test_what_the_sample_lacks_is_told(project):
    oxide = 'motif = "octahedron"\nsubstitute = "O"\nterminal = {O = 1.9}'
    project.write_text(project.read_text().replace('motif = "octahedron"', oxide))
    texts = [f.text for f in check_project(read_project(project)) if "isolated" in f.where]
    assert any("holds O, which the sample does not" in text for text in texts)
