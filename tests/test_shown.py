"""Results in a notebook."""

import re
import sys
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from shortrange.fit.refine import refine_gr
from shortrange.load import load_crystal
from shortrange.quantities import GR, ChiK, Trajectory, step
from shortrange.run import RunResult
from shortrange.shown import fit_html, run_html, table_html
from shortrange.simulate.crystal_gr import crystal_pdf

sys.path.insert(0, str(Path(__file__).parent / "report"))
from made_up_results import make_reduction_xas, make_scattering, make_sq_gr, make_verdict

HOSTILE = "<script>alert(1)</script>"


class Nesting(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(source):
    checker = Nesting()
    checker.feed(source)
    assert checker.open == []
    return re.sub(r"<[^>]*>", " ", source)


@pytest.mark.parametrize(
    "result",
    [make_reduction_xas(), make_scattering(), *make_sq_gr(), make_verdict(), make_verdict().models[0]],
    ids=lambda result: type(result).__name__,
)
def test_every_result_is_a_table(result):
    assert "<table>" in result._repr_html_()
    read(result._repr_html_())


def test_results_of_fits_are_tables_of_numbers_with_errors():
    """Two parabolas of G(r), a foil's path and rock salt: each shows its parameters, errors and doubts."""
    shown = fit_html("Fit <1>", [("a", 1.23456789, 0.012345, "Å"), ("b", 2.0, None, "")], doubts=["a < b"])
    text = read(shown)
    assert "1.23457 ± 0.012" in text
    assert "warning: a &lt; b" in text
    assert "<1>" not in shown
    assert "SIMULATED DATA" in run_html("NaCl", True, shown)
    assert "SIMULATED" not in run_html("NaCl", False, shown)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("run.pipeline", "RunResult"),
        ("run.phases", "BoxcarRun"),
        ("run.phases", "RefineRun"),
        ("run.path_fit", "PathFitRun"),
        ("reduce.xas", "XasReduction"),
        ("reduce.scattering", "ScatteringReduction"),
        ("reduce.edge_splitting", "Splitting"),
        ("reduce.edge_splitting", "SplittingDifference"),
        ("simulate.exafs", "EnsembleExafs"),
        ("simulate.pdf", "SimulatedGR"),
        ("fit.refinement", "Refinement"),
        ("fit.boxcar", "Boxcar"),
        ("fit.peaks", "PeakFit"),
        ("fit.paths", "PathFit"),
        ("analyse.analysis", "Analysis"),
        ("compare.verdict", "Verdict"),
        ("transform.wavelet", "WaveletMap"),
    ],
)
def test_what_functions_return_is_shown_in_notebooks(module, name):
    assert hasattr(getattr(import_module(f"shortrange.{module}"), name), "_repr_html_")


def test_a_refinement_shows_what_it_found():
    crystal = load_crystal(Path(__file__).parents[1] / "reference_spectra/crystals/NaCl.cif")
    r = np.arange(0.5, 9.0, 0.02)
    model = crystal_pdf(crystal, r_max=12.0)
    data = GR(r=r, g=model.curve(model.start, r, q_max=20.0), q_min=0.0, q_max=20.0)
    fit = refine_gr(data, {"NaCl": crystal}, r_range=(2.0, 8.0), free=["scale"])
    shown = read(fit._repr_html_())
    assert "Rw" in shown
    assert "scale" in shown


def test_a_quantity_says_its_points_and_units():
    k = np.linspace(0, 12, 241)
    text = read(ChiK(k=k, chi=np.sin(k), label="Ta", history=(step("transform", n=2),))._repr_html_())
    assert "ChiK Ta" in text
    assert "241 points, 0 to 12" in text
    assert "Å⁻¹" in text
    assert "history: 1 step" in text
    text = read(Trajectory(species=("Ta",), positions=np.zeros((2, 1, 3)))._repr_html_())
    assert "array of shape (2, 1, 3)" in text


def test_a_verdict_names_models_and_doubts():
    verdict = make_verdict()
    text = read(verdict._repr_html_())
    assert verdict.reason.split("'")[1] in text
    assert all(model.name.split(" ")[0] in text for model in verdict.models)
    assert "warning: scan" in text


def test_a_run_says_that_its_data_are_simulated():
    run = SimpleNamespace(
        project=SimpleNamespace(title=HOSTILE), simulated=True, verdict=make_verdict("undecided")
    )
    text = RunResult._repr_html_(run)
    assert "SIMULATED DATA" in text
    assert HOSTILE not in text
    assert "undecided" in text


def test_text_is_escaped():
    assert HOSTILE not in table_html([HOSTILE], [[HOSTILE]], title=HOSTILE)
    chi = ChiK(k=np.arange(3.0), chi=np.zeros(3), label=HOSTILE, history=(step(HOSTILE, a=HOSTILE),))
    assert HOSTILE not in chi._repr_html_()
