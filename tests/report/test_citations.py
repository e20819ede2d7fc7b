"""What to cite: each method that a result rests on, once, with a DOI that can be one."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up_results import make_reduction_xas, make_result, make_scattering, make_sq_gr

import shortrange as sr
from shortrange.errors import DataError
from shortrange.quantities import Trajectory, step
from shortrange.report.citations import all_citations
from shortrange.transform.wavelet import wavelet


def keys(result):
    return [citation.key for citation in sr.citations(result)]


def test_a_run_cites_every_method_of_both_techniques():
    found = keys(make_result())
    assert found[0] == "shortrange"
    assert len(found) == len(set(found))
    assert {"feff", "larch", "edges", "keen", "formfactors", "compton", "cauchy", "evidence"} <= set(found)
    assert "boxcar" not in found


def test_a_result_cites_no_more_than_it_used():
    assert keys(make_sq_gr()[1]) == ["shortrange", "keen"]
    assert "autobk" not in keys(make_reduction_xas())  # no background was taken off this one
    assert "feff" not in keys(make_scattering())
    chi = make_reduction_xas().chi
    assert keys(wavelet(chi, kind="morlet", r=np.array([2.0]))) == ["shortrange", "morlet"]


def test_what_was_used_only_on_request_is_cited_only_then():
    result = make_result()
    assert "nested" not in keys(result)
    settings = {**result.verdict.settings, "laplace_less_nested": {"a": 0.1}}
    result.verdict = replace(result.verdict, settings=settings)
    assert keys(result)[-1] == "nested"
    plain = make_scattering()
    assert "dispersion" not in keys(plain)
    resonant = step("reduce scattering", anomalous=True, wavelength=0.25)
    assert "dispersion" in keys(replace(plain, history=(resonant,)))


def test_results_of_every_step_are_known():
    r = np.arange(0.05, 12.0, 0.02)
    frames = Trajectory(species=("Ta", "Cl"), positions=[[[0.0, 0.0, 0.0], [0.0, 0.0, 2.3]]])
    model = sr.simulate_gr(sr.pair_histograms(frames, r_max=15.0), r=r, q_max=24.0)
    assert keys(model) == ["shortrange", "keen", "formfactors"]


def test_the_page_lists_what_the_package_knows():
    page = (Path(__file__).parents[2] / "docs/citing.md").read_text(encoding="utf-8")
    for key, citation in all_citations().items():
        assert citation.use in page, key
        assert f"[doi:{citation.doi}]({citation.url})" in page if citation.doi else key == "shortrange"
        assert citation.text in page or key == "shortrange"


def test_what_is_no_result_is_refused():
    with pytest.raises(DataError, match="nothing is known to cite for int"):
        sr.citations(3)


def test_every_work_but_our_own_has_a_doi():
    for key, citation in all_citations().items():
        if key == "shortrange":
            assert sr.__version__ in str(citation)
            continue
        assert re.fullmatch(r"10\.\d{4,}/\S+", citation.doi), key
        assert citation.url.startswith("https://doi.org/10.")
        assert citation.doi in str(citation)
