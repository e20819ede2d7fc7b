"""What is written beside the page: JSON, HDF5, columns."""

import csv
import json
import math
from dataclasses import replace

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_results import make_reduction_xas, make_result, make_sq_gr

from shortrange.errors import DataError
from shortrange.load import load_gr
from shortrange.report import write_reduction, write_report
from shortrange.report.archive import write_archive
from shortrange.report.columns import write_csv, write_gr
from shortrange.report.text import percent, plus_minus, significant
from shortrange.report.verdict_json import plain_data, verdict_json, verdict_record


def record_of(verdict, **more):
    return verdict_record(verdict, inputs=[("a.xdi", "00")], versions={"b": "2", "a": "1"}, **more)


def test_verdict_json_keeps_its_contract(folder):
    found = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    assert found["schema"] == "shortrange-verdict/1"
    assert {"verdict", "best", "models", "warnings", "inputs", "settings", "versions"} <= found.keys()
    assert found["verdict"] == "supported"
    assert found["best"] == "corner-sharing mu-S"
    assert found["inputs"][0] == {"path": "ta_l3_001.xdi", "sha256": "ab" * 32}
    assert found["simulated"] is True
    for model in found["models"]:
        assert {"name", "probability", "log_evidence", "misfit"} <= model.keys()
        assert set(model["misfit"]) == {"Ta L3", "PDF"}
        for misfit in model["misfit"].values():
            assert set(misfit) == {"R", "chi2_reduced"}
            assert all(isinstance(number, float) and math.isfinite(number) for number in misfit.values())
    assert sum(model["probability"] for model in found["models"]) == pytest.approx(1)


def test_no_best_model_is_null(verdict):
    record = record_of(replace(verdict, verdict="none fits", best=None))
    assert json.loads(verdict_json(record))["best"] is None


def test_parameters_are_in_the_record(verdict):
    fit = record_of(verdict)["models"][0]["fits"]["Ta L3"]
    assert fit["parameters"][1] == {
        "name": "dE0",
        "unit": "eV",
        "value": 10.0,
        "sigma": None,
        "prior": None,
        "bounds": [-10.0, 10.0],
        "at_bound": True,
        "note": "at its upper limit",
    }


def test_the_structure_is_in_the_record(verdict):
    found = json.loads(verdict_json(record_of(verdict)))["structure"]["Ta"]
    assert found["coordination"]["Cl"] == {"value": 5.02, "sigma": 0.03}
    assert found["lengths"]["S"] == {"value": 2.47, "sigma": None}
    assert found["bridged"]["value"] == 0.98


def test_a_number_that_is_not_finite_is_not_written(verdict):
    model = replace(verdict.models[1], log_evidence=math.nan)
    with pytest.raises(DataError, match=r"log_evidence is nan[\s\S]*edge-sharing"):
        record_of(replace(verdict, models=(verdict.models[0], model)))


def test_settings_of_every_kind_become_json():
    value = {"a": np.float64(1.5), "b": np.arange(2), "c": math.inf, "d": (1, {"x"}), 3: None, "e": np.True_}
    assert plain_data(value) == {"a": 1.5, "b": [0, 1], "c": None, "d": [1, ["x"]], "3": None, "e": True}


@given(
    st.recursive(
        st.none() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_setting_can_be_written(value):
    json.loads(verdict_json({"settings": plain_data(value)}))


def test_two_reports_of_one_result_are_equal(folder, tmp_path):
    again = write_report(make_result(), tmp_path / "again").parent
    names = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    assert len(names) > 10
    for name in names:
        assert (folder / name).read_bytes() == (again / name).read_bytes(), name


def test_archive_has_names_units_and_history(folder):
    with h5py.File(folder / "results.h5") as file:
        entry = file["entry"]
        assert entry.attrs["NX_class"] == "NXentry"
        assert bool(entry.attrs["simulated"])
        xas = entry["Ta L3"]
        assert xas["definition"][()] == b"NXxas"
        assert xas["element"][()] == b"Ta"
        data = xas["data"]
        assert (data.attrs["signal"], data.attrs["axes"]) == ("absorbed_beam", "energy")
        assert data["energy"].attrs["units"] == "eV"
        assert json.loads(data.attrs["history"])[0]["name"] == "normalise"
        assert xas["chi_k/k"].attrs["units"] == "1/angstrom"
        assert xas["chi_r/magnitude"].attrs["units"] == "angstrom^-3"
        np.testing.assert_array_equal(xas["chi_k/chi"], make_reduction_xas().chi.chi)
        gr = entry["PDF/g_r"]
        assert gr.attrs["q_max"] == 23.0
        assert gr["g"].attrs["units"] == "1/angstrom^2"
        fit = entry["models/corner-sharing mu-S/Ta L3"]
        assert {"data", "model", "data_errors", "theory_errors"} <= set(fit)
        assert set(fit["contributions"]) == {"k", "Ta-Cl", "Ta-S", "Ta-Ta"}
        assert fit["parameters/S02"].attrs["error"] == pytest.approx(0.034)
        record = json.loads(entry["verdict"][()])
        assert record == json.loads((folder / "verdict.json").read_text(encoding="utf-8"))


def test_archive_takes_names_with_a_stroke(tmp_path):
    result = make_result()
    models = (replace(result.verdict.models[0], name="edge/corner 1:1"), *result.verdict.models[1:])
    result.verdict = replace(result.verdict, models=models, best="edge/corner 1:1")
    write_archive(tmp_path / "results.h5", title="t", verdict=result.verdict, reductions=result.reductions)
    with h5py.File(tmp_path / "results.h5") as file:
        assert "edge/corner 1:1" in [group.attrs["name"] for group in file["entry/models"].values()]


def test_columns_are_read_back_equal(tmp_path):
    reduction = make_reduction_xas()
    paths = write_reduction(reduction, tmp_path)
    assert [path.name for path in paths] == ["mu.csv", "chi_k.csv", "chi_r.csv"]
    heads = {path.name: path.read_text(encoding="utf-8").splitlines()[0] for path in paths}
    assert heads == {
        "mu.csv": "energy,mu,sigma,norm,flat",
        "chi_k.csv": "k,chi,sigma",
        "chi_r.csv": "r,re,im,mag,sigma_mag",
    }
    back = np.genfromtxt(tmp_path / "chi_k.csv", delimiter=",", names=True)
    np.testing.assert_allclose(back["chi"], reduction.chi.chi, rtol=1e-8)
    transform = np.genfromtxt(tmp_path / "chi_r.csv", delimiter=",", names=True)
    np.testing.assert_allclose(
        np.hypot(transform["re"], transform["im"]), transform["mag"], rtol=1e-6, atol=1e-9
    )


def test_xanes_alone_has_no_chi(tmp_path):
    xanes = replace(make_reduction_xas(), chi=None, k_range=None)
    assert [path.name for path in write_reduction(xanes, tmp_path)] == ["mu.csv"]


def test_an_unknown_error_is_nan_not_zero(tmp_path):
    write_csv(tmp_path / "t.csv", {"k": np.arange(3.0), "sigma": None})
    assert np.isnan(np.genfromtxt(tmp_path / "t.csv", delimiter=",", names=True)["sigma"]).all()


def test_column_names_may_hold_commas(tmp_path):
    write_csv(tmp_path / "t.csv", {'Ta, the "first"': np.arange(2.0)})
    with (tmp_path / "t.csv").open(newline="") as file:
        assert next(csv.reader(file)) == ['Ta, the "first"']


def test_columns_of_unequal_length_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"lengths \[2, 3\]"):
        write_csv(tmp_path / "t.csv", {"a": np.arange(2.0), "b": np.arange(3.0)})
    assert not (tmp_path / "t.csv").exists()


def test_gr_file_is_read_back_equal(tmp_path):
    data = make_sq_gr()[1]
    back = load_gr(write_gr(tmp_path / "sample.gr", data, simulated=True))
    np.testing.assert_allclose(back.r, data.r)
    np.testing.assert_allclose(back.g, data.g, rtol=1e-8)
    np.testing.assert_allclose(back.sigma, data.sigma)
    assert (back.q_min, back.q_max) == (data.q_min, data.q_max)
    assert back.composition == data.composition
    assert "SIMULATED" in (tmp_path / "sample.gr").read_text(encoding="utf-8")


def test_gr_file_is_read_by_pdffit2(tmp_path):
    pdffit2 = pytest.importorskip("diffpy.pdffit2", reason="diffpy.pdffit2 is an extra", exc_type=ImportError)
    data = make_sq_gr()[1]
    path = write_gr(
        tmp_path / "sample.gr",
        replace(data, r=data.r[1:], g=data.g[1:], sigma=data.sigma[1:]),
        simulated=False,
    )
    engine = pdffit2.PdfFit()
    engine.read_data(str(path), "X", 23.0, 0.0)
    np.testing.assert_allclose(engine.getpdf_obs(), data.g[1:], atol=1e-6)


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (1.0, "> 99.9 %"),
        (0.9991, "> 99.9 %"),
        (0.5, "50.0 %"),
        (0.0012, "0.1 %"),
        (3e-6, "< 10⁻⁵"),
        (0.0, "< 10⁻³⁰⁰"),
    ],
)
def test_probabilities_never_claim_certainty(probability, text):
    assert percent(probability) == text


@given(st.floats(1e-299, 1e-3, exclude_max=True))
def test_the_bound_of_a_small_probability_is_true_and_tight(probability):
    digits = percent(probability).removeprefix("< 10").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    bound = 10.0 ** int(digits)
    assert probability <= bound * (1 + 1e-9)
    assert probability >= bound / 10 * (1 - 1e-9)


@pytest.mark.parametrize(
    ("value", "sigma", "text"),
    [
        (0.91234, 0.0341, "0.912 ± 0.034"),
        (-1.5, 0.25, "−1.50 ± 0.25"),
        (9881.0, 12.0, "9881 ± 12"),
        (2.0, None, "2.000"),
        (2.0, math.nan, "2.000"),
        (0.0335, 0.0, "0.03350"),
        (12345.0, 1234.0, "12300 ± 1200"),
        (2.5e7, 3.21e6, "(2.50 ± 0.32) × 10⁷"),
        (5.64, 1.5e-6, "5.6400000 ± 0.0000015"),
        (-1.2345e-5, 3.1e-7, "(−1.234 ± 0.031) × 10⁻⁵"),
        (0.0, 1e-8, "(0.0 ± 1.0) × 10⁻⁸"),
    ],
)
def test_values_with_errors(value, sigma, text):
    assert plus_minus(value, sigma) == text


def test_extreme_numbers_are_readable():
    assert significant(1.234e-7) == "1.23 × 10⁻⁷"
    assert significant(-4.2e9) == "−4.20 × 10⁹"
    assert significant(math.inf) == "n/a"
