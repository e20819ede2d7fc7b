"""The HTML page: complete, valid, escaped, and sufficient to itself."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from made_up_results import make_reduction_xas, make_result, make_verdict

from shortrange.quantities import step
from shortrange.report import write_report
from shortrange.report.html import render_page
from shortrange.report.plates import Plate

VOID = {"meta", "link", "img", "br", "hr"}


class Checker(HTMLParser):
    """Collects text and references, and complains about elements that do not nest."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.references, self.images = [], [], [], []

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        self.references += [known[key] for key in ("src", "href", "srcset", "action", "data") if key in known]
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


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write_report(make_result(), tmp_path_factory.mktemp("page") / "results")


def test_page_nests_and_refers_to_nothing_outside(page):
    checker = read(page)
    assert len(checker.images) == 8
    assert all(reference.startswith("data:") for reference in checker.references)
    assert all(image["alt"] for image in checker.images)
    source = page.read_text(encoding="utf-8")
    assert not re.search(r"https?://|url\(|@import|<script", source)


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
    ):
        assert expected in words


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("undecided", "The data do not decide; corner-sharing mu-S leads with 58.1 %."),
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
        fits={hostile: [Plate(name="x", png=b"", caption=hostile)]},
        reductions={hostile: (replace(reduction, history=(step(hostile, x=hostile),)), [])},
    )
    assert "<script" not in source
    assert "<img src=x" not in source
    assert " ".join(parse(source).text).count(hostile) >= 15
