"""Projects whose models are motifs: what is checked, and what may be wrong with them."""

import re

import pytest

from shortrange.config import MotifModel, read_project
from shortrange.errors import ProjectError
from shortrange.run import check_project, load_inputs

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


def test_a_motif_has_no_surroundings_for_total_scattering(example):
    file = example / "project.toml"
    file.write_text(file.read_text() + MOTIFS)
    with pytest.raises(ProjectError, match="a motif has no surroundings"):
        load_inputs(read_project(file))


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
