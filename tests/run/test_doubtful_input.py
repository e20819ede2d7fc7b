"""Input that is read without a fault and is doubtful: each doubt is said, and no verdict outruns it."""

import re

import numpy as np
import pytest

from shortrange.cli.app import run_app
from shortrange.config import read_project
from shortrange.errors import ProjectError
from shortrange.load import load_trajectory
from shortrange.run import run_project
from shortrange.run.inputs import incomplete_models
from shortrange.simulate.pairs import pair_histograms
from shortrange.simulate.pdf import PdfModel

TAIL = """
[[mixture]]
name = "both"
of = ["corner-sharing mu-S", "isolated TaCl6"]
"""

SLIPS = {
    "a mixture of one": ('of = ["corner-sharing mu-S"]', "must list the names of two models"),
    "a mixture of three": ('of = ["a", "b", "c"]', "must list the names of two models"),
    "a mixture of text": ('of = "corner-sharing mu-S"', "must list the names of two models"),
    "a mixture of numbers": ("of = [1, 2]", "must be text"),
    "a mixture with itself": (
        'of = ["isolated TaCl6", "isolated TaCl6"]',
        "names a model twice; name two different ones",
    ),
    "a mixture of what is not there": (
        'of = ["corner-sharing mu-S", "isolated TaCl5"]',
        "'isolated TaCl5' is no model; did you mean 'isolated TaCl6'",
    ),
    "a mixture with an unknown key": (
        'of = ["corner-sharing mu-S", "isolated TaCl6"]\nshare = 0.5',
        "share: unknown key",
    ),
}

SETTINGS = {
    "odds of one": ("odds = 1", "odds: 1 must be greater than 1"),
    "odds in words": ('odds = "high"', "odds: 'high' must be a number"),
    "no theory error": ("exafs_theory_error = 0", "exafs_theory_error: 0 must be greater than 0"),
    "a negative theory error": ("pdf_theory_error = -0.1", "must be greater than 0"),
    "a theory error beyond the signal": ("pdf_theory_error = 3", "must be 1 or less"),
    "no point that counts": ("exafs_independent = 0", "exafs_independent: 0 must be greater than 0"),
    "more points than there are": ("pdf_independent = 1.5", "must be 1 or less"),
    "a misspelt theory error": ("pdf_theory_eror = 0.1", "did you mean 'pdf_theory_error'"),
    "an edge without its element": ('edges = ["K"]', "no edge such as"),
    "an edge that does not exist": ('edges = ["S L9"]', "holds 'S L9'"),
    "an element that does not exist": ('edges = ["Xq K"]', "no chemical element"),
    "edges that are no list": ('edges = "S K"', "must be a list of edges"),
}

S02 = {
    "S02 without an error": ("s02 = 0.9", "must be two numbers"),
    "S02 in percent": ("s02 = [90, 5]", "needs a value from 0.3 to 1.3"),
    "S02 known exactly": ("s02 = [0.9, 0.0]", "an error above 0"),
    "S02 in words": ('s02 = ["0.9", 0.1]', "must be two numbers"),
}


def faulty(project, text):
    project.write_text(text)
    with pytest.raises(ProjectError) as caught:
        read_project(project)
    return str(caught.value)


@pytest.mark.parametrize("name", SLIPS)
def test_a_mixture_that_cannot_be(example, name):
    line, message = SLIPS[name]
    text = (example / "project.toml").read_text() + f'\n[[mixture]]\nname = "both"\n{line}\n'
    assert message in faulty(example / "project.toml", text)


def test_a_mixture_named_as_a_model(example):
    text = (example / "project.toml").read_text() + TAIL.replace('"both"', '"isolated TaCl6"')
    assert "a model has it already" in faulty(example / "project.toml", text)


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_cannot_be(example, name):
    line, message = SETTINGS[name]
    text = (example / "project.toml").read_text()
    assert "[verdict]" not in text
    assert message in faulty(example / "project.toml", text + f"\n[verdict]\n{line}\n")


@pytest.mark.parametrize("name", S02)
def test_an_amplitude_that_cannot_be(example, name):
    line, message = S02[name]
    text = (example / "project.toml").read_text().replace('edge = "L3"', f'edge = "L3"\n{line}')
    assert message in faulty(example / "project.toml", text)


def only(project, *names):
    """Leave these models in the project file."""
    head, *models = project.read_text().split("[[model]]")
    kept = [m for m in models if any(f'"{name}"' in m for name in names)]
    project.write_text("[[model]]".join([head, *kept]))


def verdict_of(folder):
    return run_project(read_project(folder / "project.toml")).verdict


def said(verdict, text):
    return any(text in warning for warning in verdict.warnings)


CORNER, ISOLATED = "corner-sharing mu-S", "isolated TaCl6"


def test_the_same_snapshots_under_two_names(pdf_project):
    only(pdf_project / "project.toml", CORNER)
    with (pdf_project / "project.toml").open("a") as file:
        file.write('\n[[model]]\nname = "again"\nstructures = "models/corner.extxyz"\n')
    verdict = verdict_of(pdf_project)
    assert verdict.verdict == "undecided"
    assert said(verdict, f"holds the same snapshots as {CORNER!r}")


def test_names_that_look_alike_in_files(pdf_project):
    """Names beyond ASCII, or that differ by signs only: each keeps files of its own."""
    project = pdf_project / "project.toml"
    only(project, CORNER, ISOLATED)
    text = project.read_text().replace(f'"{CORNER}"', '"модель А"').replace(f'"{ISOLATED}"', '"модель <Б>"')
    gr = np.column_stack([np.arange(0.0, 12.0, 0.02), np.zeros(600)])
    gr[:, 1] = np.sin(3 * gr[:, 0]) * np.exp(-gr[:, 0] / 3)
    np.savetxt(pdf_project / "other.gr", gr, header="qmin = 0.8\nqmax = 23.0\n#### start data", comments="")
    more = '[[measurement]]\nname = "pdf!"\ntechnique = "total-scattering"\npdf = "other.gr"\n\n[[model]]'
    project.write_text(text.replace("[[model]]", more, 1), encoding="utf-8")
    results = pdf_project / "results"
    assert run_app(["run", str(project), "--out", str(results), "--static"]) == 0
    assert len(list((results / "models").iterdir())) == 2
    assert {"pdf_fits.svg", "pdf_2_fits.svg"} <= {path.name for path in (results / "figures").iterdir()}
    assert {"pdf_gr.csv", "pdf_2_gr.csv"} <= {path.name for path in (results / "reduced").iterdir()}
    page = (results / "report.html").read_text(encoding="utf-8")
    links = re.findall(r'href="(models/[^"]*)"', page)
    assert len(links) == 2
    assert all((results / link).exists() for link in links)
    assert "<Б>" not in page


def test_all_models_bad(pdf_project):
    only(pdf_project / "project.toml", ISOLATED, "edge-sharing mu-S,mu-Cl")
    verdict = verdict_of(pdf_project)
    assert (verdict.verdict, verdict.best) == ("none fits", None)


def test_one_model_alone_is_undecided_even_if_it_fits(pdf_project):
    only(pdf_project / "project.toml", CORNER)
    verdict = verdict_of(pdf_project)
    assert verdict.verdict == "undecided"
    assert verdict.prospects == ()


def test_few_snapshots_beside_many(pdf_project):
    only(pdf_project / "project.toml", CORNER, ISOLATED)
    text = (pdf_project / "project.toml").read_text()
    (pdf_project / "project.toml").write_text(
        text.replace('"models/corner.extxyz"', '"models/corner.extxyz"\nframes = "0:2"')
    )
    verdict = verdict_of(pdf_project)
    assert said(verdict, "2 snapshots cannot tell")
    assert verdict.verdict in ("supported", "undecided")


def test_one_snapshot_beside_many(pdf_project):
    only(pdf_project / "project.toml", CORNER, ISOLATED)
    text = (pdf_project / "project.toml").read_text()
    (pdf_project / "project.toml").write_text(
        text.replace('"models/corner.extxyz"', '"models/corner.extxyz"\nframes = "3:4"')
    )
    verdict = verdict_of(pdf_project)
    assert said(verdict, "1 snapshots cannot tell")
    corner = next(m for m in verdict.models if m.name == CORNER)
    # It is taken as a structure at rest, whose motion is to be fitted.
    assert next(p for p in corner.fits[0].parameters if p.name == "delta_u").prior == (0.01, 0.01)


def test_sigma2_would_be_negative(example):
    """A unit at rest whose bonds vary by more than those of the sample, and an amplitude that is known."""
    project = example / "project.toml"
    text = project.read_text()
    text = text.replace("[3.0, 12.5]", "[3.0, 12.5]\nr_range = [1.2, 2.8]\ns02 = [0.7, 0.02]")
    project.write_text(
        text[: text.index('[[measurement]]\nname = "PDF"')]
        + '[[model]]\nname = "split"\nstructures = "models/split.xyz"\n'
    )
    rays = np.repeat(np.eye(3), 2, axis=0) * np.array([[2.17], [-2.53], [2.26], [-2.44], [2.32], [-2.38]])
    rows = ["7", "an octahedron", "Ta 0 0 0", *(f"Cl {x} {y} {z}" for x, y, z in rays)]
    (example / "models" / "split.xyz").write_text("\n".join(rows) + "\n")
    verdict = verdict_of(example)
    width = next(p for p in verdict.models[0].fits[0].parameters if p.name == "delta_sigma2")
    assert width.at_bound
    assert width.value == pytest.approx(0.0, abs=1e-4)
    assert said(verdict, "lies at its limit: the data are less disordered than the model can be")
    assert verdict.verdict != "supported"


def test_data_of_two_samples_that_contradict_each_other(pdf_project):
    """Beside the pattern, G(r) made from the isolated units (simulated): two answers, and no verdict."""
    project = pdf_project / "project.toml"
    only(project, CORNER, ISOLATED)
    r = np.arange(0.0, 12.0, 0.02)
    pairs = pair_histograms(load_trajectory(pdf_project / "models" / "isolated.extxyz"), r_max=20.0)
    g = PdfModel(pairs, r, 23.0, 0.8)(q_damp=0.03)
    rows = [f"{x:.2f} {y:.6f} 0 {0.02:.3f}" for x, y in zip(r, g, strict=True)]
    (pdf_project / "other.gr").write_text("qmin = 0.8\nqmax = 23.0\n#### start data\n" + "\n".join(rows))
    project.write_text(
        project.read_text().replace(
            "[[model]]",
            '[[measurement]]\nname = "Other"\ntechnique = "total-scattering"\npdf = "other.gr"\n'
            "q_range = [0.8, 23.0]\n\n[[model]]",
            1,
        )
    )
    verdict = verdict_of(pdf_project)
    assert verdict.verdict == "none fits"
    assert "PDF" in verdict.reason or "Other" in verdict.reason
    assert any("alone prefers" in warning for warning in verdict.warnings)


def test_the_pattern_of_another_sample(pdf_project):
    """A pattern without structure: whatever the models, they do not fit it."""
    only(pdf_project / "project.toml", CORNER, ISOLATED)
    lines = (pdf_project / "sample_iq.chi").read_text().splitlines()
    rng = np.random.default_rng(3)
    rows = []
    for line in lines:
        if line.startswith("#") or not line.strip():
            rows.append(line)
            continue
        q, i = (float(x) for x in line.split())
        rows.append(f"{q} {i * (1 + 0.15 * np.sin(4.1 * q) * np.exp(-0.05 * q)) + rng.normal(0, 1e-6):.6e}")
    (pdf_project / "sample_iq.chi").write_text("\n".join(rows) + "\n")
    assert verdict_of(pdf_project).verdict != "supported"


def test_a_stated_theory_error_is_used_and_said(pdf_project):
    only(pdf_project / "project.toml", CORNER, ISOLATED)
    text = (pdf_project / "project.toml").read_text()
    (pdf_project / "project.toml").write_text(
        text + "\n[verdict]\npdf_theory_error = 0.5\npdf_independent = 0.8\n"
    )
    verdict = verdict_of(pdf_project)
    stated = verdict.settings["measurements"]["PDF"]["theory_error"]
    assert (stated["median"], stated["independent"]) == (0.5, 0.8)
    assert "stated in the project, instead of the calibrated 0.08 (median) and 1 (indep" in stated["source"]
    # Nothing is refuted where theory may be wrong by half the signal.
    assert verdict.verdict == "undecided"


def test_a_mixture_that_was_offered_is_judged(pdf_project):
    only(pdf_project / "project.toml", CORNER, ISOLATED)
    with (pdf_project / "project.toml").open("a") as file:
        file.write(TAIL)
    verdict = verdict_of(pdf_project)
    both = next(m for m in verdict.models if m.name == "both")
    assert [s.name for s in both.shares] == [CORNER, ISOLATED]
    assert both.shares[0].value > 0.75
    # The truth is pure: its mixture with something else does not take the verdict.
    assert (verdict.verdict, verdict.best) == ("supported", CORNER)


def test_a_model_without_the_absorber_is_compared_on_request(example):
    only(example / "project.toml", CORNER, ISOLATED)
    model = example / "models" / "isolated.extxyz"
    model.write_text(model.read_text().replace("\nTa ", "\nNb "))
    text = (example / "project.toml").read_text()
    with pytest.raises(ProjectError, match="leaves the measurement out"):
        verdict_of(example)
    (example / "project.toml").write_text(text + "\n[verdict]\npartial = true\n")
    verdict = verdict_of(example)
    assert said(verdict, "has no Ta, the absorber of 'Ta L3'")
    assert said(verdict, "no model is compared with it")
    assert [fit.measurement for fit in verdict.models[0].fits] == ["PDF"]


def test_a_model_without_an_element_of_the_sample_is_incomplete():
    sample = {"Na": 1.0, "Ta": 1.0, "Cl": 5.0, "S": 0.5}
    chloride, sulphide = {"Na": 4, "Ta": 4, "Cl": 24}, {"Na": 4, "Ta": 4, "Cl": 20, "S": 2}
    found = incomplete_models({"chloride": chloride, "sulphide": sulphide}, sample)
    assert set(found) == {"chloride"}
    assert "no S, 6.7% of the atoms" in found["chloride"]
    # What all models lack, and what the sample hardly has, tells nothing.
    without = {name: {k: v for k, v in c.items() if k != "Na"} for name, c in
               {"chloride": chloride, "sulphide": sulphide}.items()}  # fmt: skip
    assert set(incomplete_models(without, sample)) == {"chloride"}
    assert incomplete_models({"chloride": chloride, "sulphide": sulphide}, sample | {"S": 0.05}) == {}
