"""The HTML page: complete, valid, escaped, and sufficient to itself."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from made_up_results import make_reduction_xas, make_result, make_verdict

from shortrange.quantities import step
from shortrange.report import document
from shortrange.report.disputed import disputed_range, shares
from shortrange.report.document import plotly_script
from shortrange.report.evidence import advantages
from shortrange.report.fit_plates import evidence_plates
from shortrange.report.html import render_page
from shortrange.report.live.fits import live_fits
from shortrange.report.plates import Plate

VOID = {"meta", "link", "img", "br", "hr"}


class Checker(HTMLParser):
    """Collects text and references, and complains about elements that do not nest."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.references, self.images = [], [], [], []

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        if tag != "a":  # a link is followed by the reader, not by the page
            self.references += [
                known[key] for key in ("src", "href", "srcset", "action", "data") if key in known
            ]
        if tag == "img":
            self.images.append(known)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text.append(data)


def render(verdict, **changes):
    """The page without figures, which take their time."""
    record = {"inputs": [], "settings": {}, "versions": {}}
    given = {"title": "t", "sample": "s", "fits": {}, "reductions": {}, "contents": {},
             "record": record, "simulated": False}  # fmt: skip
    return render_page(verdict=verdict, **{**given, **changes})


def read(path):
    return parse(path.read_text(encoding="utf-8"))


def parse(source):
    checker = Checker()
    checker.feed(source)
    checker.close()
    assert checker.open == []
    return checker


def test_page_nests_and_refers_to_nothing_outside(page):
    checker = read(page)
    assert len(checker.images) == 9
    assert all(reference.startswith("data:") for reference in checker.references)
    assert all(image["alt"] for image in checker.images)
    source = page.read_text(encoding="utf-8").replace(plotly_script(), "")
    assert set(re.findall(r"https?://[^/]*", source)) == {"https://doi.org"}
    assert not re.search(r"url\(|@import", source)
    assert "default-src 'none'" in source


@pytest.mark.parametrize("interactive", [True, False])
def test_page_without_plotly_has_the_still_pictures(monkeypatch, interactive):
    plate = Plate(name="x", png=b"", svg="<svg/>", caption="A figure.", live={"data": []})
    source = render(make_verdict(), fits={"Ta L3": [plate]}, interactive=interactive)
    assert ('id="plots"' in source) is interactive
    monkeypatch.setattr(document, "plotly_script", lambda: None)
    source = render(make_verdict(), fits={"Ta L3": [plate]}, interactive=interactive)
    assert len(parse(source).images) == 1
    assert 'id="plots"' not in source
    assert len(source) < 100_000


def test_live_figures_are_figures_of_plotly(page):
    graph_objects = pytest.importorskip("plotly.graph_objects", reason="needs plotly to judge its figures")
    source = page.read_text(encoding="utf-8")
    plots = json.loads(re.search(r'id="plots">(.*?)</script>', source, re.S)[1])
    assert set(plots) == {
        *(f"ta_l3_{kind}" for kind in ("mu", "exafs", "fits", "distances", "parts")),
        *(f"pdf_{kind}" for kind in ("fits", "parts", "scattering")),
    }
    for name, plot in plots.items():
        figure = graph_objects.Figure(plot)  # raises for whatever plotly does not know
        assert figure.layout.xaxis.title.text, name
        assert any(note.text == "SIMULATED DATA" for note in figure.layout.annotations), name


def test_residuals_of_the_live_figure_are_those_of_the_printed_one():
    verdict = make_verdict()
    pairs = [(model, model.fits[0]) for model in verdict.models]
    plot = live_fits(pairs, k_weight=2.0, simulated=False)
    drawn = [trace for trace in plot["data"] if trace["yaxis"] == "y2"]
    for (_, fit), trace in zip(pairs, drawn, strict=True):
        expected = (fit.data - fit.model) / np.hypot(fit.sigma, fit.theory_sigma)
        np.testing.assert_allclose(trace["y"], expected, rtol=1e-4)
    assert [trace["visible"] for trace in drawn] == [True, True, "legendonly", "legendonly"]


def record_with_places():
    rows = [("corner", [1.0, 2.0]), ("edge <S2>", [0.5, -3.0]), ("a mixture", [0.0])]
    models = [
        {
            "name": name,
            "fits": {"PDF": {"evidence_by_place": {"r": {"centres": [2.0, 4.0][: len(nats)], "nats": nats}}}},
            "shares": [{"name": "corner", "value": 0.7, "sigma": 0.1}] if name == "a mixture" else [],
        }
        for name, nats in rows
    ]
    decide = [
        {"measurement": "ten times longer", "expected_gain_nats": 0.5, "assumed": "the same noise"},
        {"measurement": "S K-edge <EXAFS>", "expected_gain_nats": 3.0, "assumed": ""},
    ]
    base = {"inputs": [], "settings": {}, "versions": {}}
    return {**base, "models": models, "what_would_decide": decide}


def test_evidence_by_place_is_the_difference_to_the_leading_model():
    (found,) = advantages(record_with_places(), "PDF")
    assert list(found.nats) == ["edge <S2>"]  # the mixture has other places
    np.testing.assert_allclose(found.nats["edge <S2>"], [0.5, 5.0])
    assert advantages(record_with_places(), "Ta L3") == []
    assert advantages({}, "PDF") == []
    (plate,) = evidence_plates(record_with_places(), "PDF", title="t", simulated=True)
    assert "corner" in plate.caption
    (bars,) = plate.live["data"]
    assert (bars["x"], bars["y"]) == ([2.0, 4.0], [0.5, 5.0])
    assert bars["name"] == "edge &lt;S2&gt;"


def test_what_would_decide_begins_with_the_most_telling():
    words = " ".join(parse(render(make_verdict(), record=record_with_places())).text)
    assert words.index("S K-edge <EXAFS>") < words.index("ten times longer")
    assert "20 : 1" in words  # e^3
    assert "0.70 ± 0.10" in words
    assert "What would decide" not in " ".join(parse(render(make_verdict())).text)


def test_the_disputed_peak_is_where_two_models_differ():
    """The worse model has a peak at 3.6 angstrom that the better one lacks."""
    fits = [model.fits[1] for model in make_verdict().models]
    low, high = disputed_range(fits[0], fits[1])
    assert low < 3.6 < high
    assert high - low == pytest.approx(0.4)
    inside = (fits[1].x >= low - 1e-9) & (fits[1].x <= high + 1e-9)
    share = shares(fits[1], (low, high))
    assert share.model == pytest.approx(fits[1].model[inside].mean())
    assert share.parts["Ta-Ta"] == pytest.approx(fits[1].contributions["Ta-Ta"][inside].mean())
    assert disputed_range(make_verdict().models[0].fits[0], make_verdict().models[1].fits[0]) is None


def test_page_says_the_answer_and_names_every_model(page):
    words = " ".join(read(page).text)
    result = make_result()
    assert result.project.title in words  # with its angle brackets, as text
    assert "The data support corner-sharing mu-S." in words
    for model in result.verdict.models:
        assert model.name in words
    for warning in result.verdict.warnings:
        assert warning in words
    assert "SIMULATED DATA" in words


def test_page_shows_parameters_scans_inputs_settings_versions(page):
    words = " ".join(read(page).text)
    for expected in (
        "0.912 ± 0.034",
        "at bound",
        "Qdamp (Å⁻¹)",
        "ta_l3_003.xdi",
        "beam dump: <i0> fell to zero",
        "1.320 ± 0.013",
        "ab" * 32,
        "models/corner <1>.extxyz",
        "full FEFF8L runs of reference compounds",
        "numpy 2",
        "Structure: corner-sharing mu-S",
        "Ta–Cl 5.020 ± 0.030 2.352 ± 0.012",
        "Ta–S 0.980 ± 0.030 2.470",
        "0.980 ± 0.020 of the Ta share a ligand with another Ta.",
    ):
        assert expected in words


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (
            "undecided",
            "The data do not decide; corner-sharing mu-S leads with 58.1 % among the models offered.",
        ),
        ("none fits", "None of the models offered fits the data."),
    ],
)
def test_other_verdicts_are_worded(kind, sentence):
    words = " ".join(parse(render(make_verdict(kind))).text)
    assert sentence in words
    assert ("were one right" in words) == (kind == "none fits")
    assert "SIMULATED" not in words


def test_text_of_the_user_is_never_markup():
    hostile = "<script>alert(1)</script><img src=x onerror='1'>&amp;\"'"
    verdict = make_verdict()
    parameter = replace(verdict.models[0].fits[0].parameters[0], name=hostile, unit=hostile, note=hostile)
    fit = replace(verdict.models[0].fits[0], measurement=hostile, parameters=(parameter,))
    model = replace(verdict.models[0], name=hostile, fits=(fit,))
    record = {
        "inputs": [{"path": hostile, "sha256": hostile}],
        "settings": {hostile: {hostile: hostile}},
        "versions": {hostile: hostile},
    }
    reduction = make_reduction_xas()
    reduction = replace(
        reduction, reports=(replace(reduction.reports[0], file=hostile.replace("/", "-"), reason=hostile),)
    )
    source = render(
        replace(verdict, models=(model,), best=hostile, reason=hostile, warnings=(hostile,)),
        title=hostile,
        sample=hostile,
        record=record,
        fits={
            hostile: [Plate(name="x", png=b"", svg="", caption=hostile, live={"data": [{"name": hostile}]})]
        },
        reductions={hostile: (replace(reduction, history=(step(hostile, x=hostile),)), [])},
    )
    assert "<script>alert" not in source
    assert "<img src=x" not in source
    assert " ".join(parse(source).text).count(hostile) >= 15
