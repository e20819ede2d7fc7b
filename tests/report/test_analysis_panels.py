"""The panels of an analysis draw what they say, and a verdict's report links what its models are."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from shortrange.analyse.analysis import analyse_trajectory
from shortrange.analyse.arrhenius import arrhenius
from shortrange.quantities import Trajectory
from shortrange.report.analysis.figures import analysis_plates
from shortrange.report.analysis.models import models_section, write_models
from shortrange.report.analysis.panels import plot_arrhenius, plot_barcode, plot_loops, plot_shapes
from shortrange.run.contents import analyse_models

OCTAHEDRON = 2.4 * np.vstack([np.eye(3), -np.eye(3)])


def octahedron(n_frames=6, scale=0.05, species=("Ta", *["Cl"] * 6)):
    noise = np.random.default_rng(1).normal(scale=scale, size=(n_frames, 7, 3))
    positions = np.vstack([np.zeros(3), OCTAHEDRON]) + noise + 6.0
    cells = np.repeat(12.0 * np.eye(3)[None], n_frames, axis=0)
    return Trajectory(species=species, positions=positions, cells=cells, source="octahedron.extxyz")


@pytest.fixture
def ax():
    return Figure().subplots()


def test_boxes_hold_the_measures(ax):
    crystal, glass = np.linspace(0, 2, 21), np.linspace(2, 6, 21)
    boxes = plot_shapes({"crystal": crystal, "quenched": glass}, ax=ax)
    quartiles = [np.unique(box.get_ydata())[[0, -1]].tolist() for box in boxes]
    assert quartiles == [pytest.approx([0.5, 1.5]), pytest.approx([3.0, 5.0])]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["crystal", "quenched"]


def test_barcode_ends_at_the_mean_deaths(ax):
    found = analyse_trajectory(octahedron(), only=["topology"]).persistence[0]
    bars, whiskers = plot_barcode(found, ax=ax)
    ends = [segment[1, 0] for segment in bars.get_segments()]
    assert ends == pytest.approx(found.h0.mean(axis=0))
    assert len(whiskers.get_segments()) == 6
    assert "minimum image" in ax.get_title()


def test_no_loops_are_said(ax):
    found = analyse_trajectory(octahedron(1, 0.0), only=["topology"]).persistence[0]
    assert not any(len(bars) for bars in found.h1)
    assert plot_loops(found, ax=ax) == []
    assert any(text.get_text() == "no loops" for text in ax.texts)


def test_arrhenius_reads_the_line_where_asked(ax):
    law = arrhenius([600, 800, 1000, 1200], [1.34e-5, 2.53e-5, 3.09e-5, 5.16e-5])
    plot_arrhenius(law, ax=ax)
    assert any(line.get_xydata()[0] == pytest.approx([1000 / 300, 1.065e-6], rel=1e-3) for line in ax.lines)
    assert any("Ea = 0.130 ± 0.018 eV" in text.get_text() for text in ax.texts)


def test_an_ordered_crystal_has_figures():
    """All its deaths and bonds are equal: nothing may divide by their spread."""
    found = analyse_trajectory(octahedron(1, 0.0))
    assert {plate.name for plate in analysis_plates(found, title="crystal")} >= {"csm", "topology"}
    assert found.shells[0].variance.value == 0.0


def test_other_references_with_as_many_vertices():
    found = analyse_trajectory(octahedron(), only=["csm"])
    (other,) = found.other_shapes
    assert other.polyhedron == "trigonal prism"
    assert 10 < other.spreads["all"].mean < 17  # 16.737 for the perfect octahedron
    assert found.distortions[0].spreads["all"].mean < 1


def test_nine_ligands_leave_only_the_shapes_out():
    """There is no usual polyhedron for nine: the rest of the analysis goes on and the reason is given."""
    angles = np.arange(9) * 2 * np.pi / 9
    ring = 2.5 * np.column_stack([np.cos(angles), np.sin(angles), np.zeros(9)])
    run = Trajectory(species=("Sm", *["Cl"] * 9), positions=np.vstack([np.zeros(3), ring])[None])
    found = analyse_trajectory(run)
    assert found.connectivity is not None
    assert found.skipped["csm"].startswith("Sm has 9.0 ligands on average")


def test_a_large_cell_leaves_topology_out_unless_asked():
    rng = np.random.default_rng(0)
    run = Trajectory(species=("Cl",) * 500, positions=rng.uniform(0, 25, (1, 500, 3)))
    assert "ask for them with --only topology" in analyse_trajectory(run).skipped["topology"]


def test_report_links_what_each_model_is(tmp_path):
    models = {"one & only": octahedron(), "no <bonds>": octahedron(species=("Na",) * 7)}
    contents = {**analyse_models(models), "broken": "the file ends early"}
    write_models(contents, tmp_path, inputs=[("models/octahedron.extxyz", "ab" * 32)])
    section = models_section(contents)
    assert 'href="models/one_only/analysis.html"' in section
    assert "Ta binds 6.000 Cl" in section
    assert "<bonds>" not in section
    assert "Not analysed: the file ends early" in section
    assert "octahedron.extxyz" in (tmp_path / "models/one_only/analysis.html").read_text(encoding="utf-8")
    assert (tmp_path / "models/one_only/csm.csv").exists()
    assert not (tmp_path / "models/broken").exists()
