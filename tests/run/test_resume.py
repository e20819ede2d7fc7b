"""An interrupted run goes on from where it was, to the same result."""

from functools import partial

import pytest

import shortrange.compare.evidence as evidence
import shortrange.run.kept_fits as kept_fits
import shortrange.run.pipeline as pipeline
import shortrange.simulate.pairs as pairs
from shortrange.config import read_project
from shortrange.report.verdict_json import verdict_json, verdict_record
from shortrange.run import run_project


@pytest.fixture
def small_project(pdf_project):
    """Two models of few snapshots: what is shown here does not depend on their number."""
    path = pdf_project / "project.toml"
    head, *models = path.read_text().split("[[model]]")
    kept = [m.rstrip() + '\nframes = "0:8"\n' for m in models if "corner" in m or "isolated" in m]
    path.write_text("[[model]]".join([head, *kept]))
    return pdf_project


@pytest.fixture
def counted(monkeypatch, tmp_path):
    """Number of pieces in which pairs were counted, with a cache that nobody else fills."""
    monkeypatch.setenv("SHORTRANGE_CACHE", str(tmp_path / "cache"))
    calls = []
    kernel = pairs.count_piece

    def count(*arguments, **more):
        calls.append(1)
        return kernel(*arguments, **more)

    monkeypatch.setattr(pairs, "count_piece", count)
    return calls


def written(result):
    """What verdict.json holds of the verdict."""
    return verdict_json(verdict_record(result.verdict, inputs=(), versions=result.versions))


def test_an_interrupted_run_goes_on(small_project, counted, tmp_path, monkeypatch):
    project = read_project(small_project / "project.toml")

    def interrupt(what):
        if what.startswith("fit"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_project(project, progress=interrupt)
    made = len(counted)
    assert made >= len(project.model)
    folder = tmp_path / "cache"
    assert list(folder.glob("pieces-*"))
    after = {}
    resumed = run_project(project, progress=lambda what: after.setdefault(what, len(counted)))
    assert after["ask what would decide"] == made
    # A run that is whole leaves nothing behind; one that was not interrupted says the same.
    assert not list(folder.glob("pieces-*"))
    fits = []

    def stop(what):
        if what.startswith("ask"):
            raise KeyboardInterrupt

    real = pipeline.rank
    monkeypatch.setattr(pipeline, "rank", lambda *a, **k: fits.append(real(*a, **k)) or fits[-1])
    with pytest.raises(KeyboardInterrupt):
        run_project(project, progress=stop)
    ranked = [found for found in fits if len(found) == len(project.model)][-1]
    assert [m.log_evidence for m in resumed.verdict.models] == [m.log_evidence for m in ranked]

    def refit(*_arguments, **_more):
        raise AssertionError("a finished fit is made again")

    for name in ("judge", "judge_mixture"):
        monkeypatch.setattr(kept_fits, name, refit)
    again = run_project(project)
    assert written(again) == written(resumed)
    assert not list(folder.glob("pieces-*"))


def test_other_snapshots_are_not_taken_for_those_of_the_interruption(small_project, counted):
    def interrupt(what):
        if what.startswith("fit"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_project(read_project(small_project / "project.toml"), progress=interrupt)
    made = len(counted)
    (small_project / "models" / "corner.extxyz").write_bytes(
        (small_project / "models" / "isolated.extxyz").read_bytes()
    )
    with pytest.raises(KeyboardInterrupt):
        run_project(read_project(small_project / "project.toml"), progress=interrupt)
    assert len(counted) > made


def test_a_larger_q_range_and_nested_sampling_are_in_the_result(small_project, monkeypatch):
    pytest.importorskip("dynesty", reason="dynesty is an extra")
    # Half the points and a range of one shell: tests/fit/test_nested.py holds the whole comparison.
    quick = partial(evidence.nested_evidence, live_points=100)
    monkeypatch.setattr(evidence, "nested_evidence", quick)
    path = small_project / "project.toml"
    text = path.read_text().replace("q_range =", "r_range = [2.0, 4.6]\nq_range =")
    path.write_text(text + "\n[verdict]\nnested = true\n")
    verdict = run_project(read_project(path)).verdict
    gains = {p.what: p.expected for p in verdict.prospects}
    assert gains["PDF with Q up to 30 1/angstrom"] > gains["PDF as it is"]
    checks = verdict.settings["laplace_less_nested"]["PDF"]
    assert len(checks) == 2
    for off, sigma in checks.values():
        assert abs(off) < 1.0
        assert 0 < sigma < 0.35
