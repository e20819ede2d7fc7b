"""What changed between two runs."""

import copy
import json

import pytest

from shortrange.cli.app import run_app
from shortrange.errors import DataError
from shortrange.report.changes import compare_records, read_record


def make_record():
    parameters = [
        {"name": "S02", "unit": "1", "value": 0.9, "sigma": 0.05, "prior": None, "bounds": [0.5, 1.3]},
        {"name": "delta_e0", "unit": "eV", "value": 1.0, "sigma": None, "prior": None, "bounds": [-9, 9]},
    ]
    models = [
        {
            "name": name,
            "probability": chance,
            "log_evidence": log,
            "misfit": {"Ta L3": {"R": 0.01, "chi2_reduced": 1.0}},
            "fits": {"Ta L3": {"log_evidence": log, "parameters": copy.deepcopy(parameters)}},
        }
        for name, chance, log in (("corner", 0.9, -1.0), ("edge", 0.1, -3.2))
    ]
    return {
        "schema": "shortrange-verdict/1",
        "verdict": "undecided",
        "best": "corner",
        "reason": "9 times",
        "simulated": False,
        "models": models,
        "alone": {},
        "warnings": ["a single scan"],
        "inputs": [{"path": "a.xdi", "sha256": "00"}, {"path": "b.xdi", "sha256": "01"}],
        "settings": {"odds_threshold": 20.0, "measurements": {"Ta L3": {"k_range": [3, 12]}}},
        "versions": {"numpy": "2.0"},
    }


def changed():
    record = make_record()
    record |= {"verdict": "supported", "warnings": ["glitches"], "reason": "90 times"}
    record["models"][0] |= {"probability": 0.99, "log_evidence": 1.5}
    record["models"][0]["fits"]["Ta L3"]["parameters"][0]["value"] = 0.95
    record["models"][1]["name"] = "face"
    record["inputs"][1]["sha256"] = "ff"
    record["settings"]["measurements"]["Ta L3"]["k_range"] = [3, 14]
    record["versions"]["numpy"] = "2.1"
    return record


def write(path, record):
    path.write_text(json.dumps(record), encoding="utf-8")
    return str(path)


def test_equal_records_have_no_changes():
    assert compare_records(make_record(), make_record()) == ()


def test_every_kind_of_change_is_found_once():
    found = {(c.kind, c.what): c for c in compare_records(make_record(), changed())}
    assert set(found) == {
        ("verdict", "verdict"),
        ("verdict", "reason"),
        ("model", "corner: probability"),
        ("model", "corner: ln evidence"),
        ("parameter", "corner, Ta L3: S02"),
        ("model", "face"),
        ("model", "edge"),
        ("warning", "new"),
        ("warning", "gone"),
        ("input", "b.xdi"),
        ("setting", "measurements, Ta L3, k_range"),
        ("version", "numpy"),
    }
    assert found["parameter", "corner, Ta L3: S02"].note == "1.00 of its error"
    assert found["model", "corner: ln evidence"].note == "+2.50 nats"
    assert (found["model", "edge"].before, found["model", "edge"].after) == ("offered", None)


def test_the_command_names_what_changed(tmp_path, capsys):
    paths = [write(tmp_path / "a.json", make_record()), write(tmp_path / "b.json", changed())]
    assert run_app(["compare", *paths]) == 0
    out = capsys.readouterr().out
    assert "CHANGED: supported, corner" in out
    assert "k_range" in out
    assert run_app(["compare", paths[0], paths[0]]) == 0
    assert capsys.readouterr().out == "the two runs are equal\n"
    assert run_app(["compare", *paths, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["same_verdict"] is False
    assert len(found["changes"]) == 12


def test_small_moves_of_numbers_are_shown_on_request(tmp_path, capsys):
    record = make_record()
    record["models"][0]["fits"]["Ta L3"]["parameters"][0]["value"] = 0.9001
    paths = [write(tmp_path / "a.json", make_record()), write(tmp_path / "b.json", record)]
    assert run_app(["compare", *paths]) == 0
    out = capsys.readouterr().out
    assert "S02" not in out
    assert "1 smaller change" in out
    assert run_app(["compare", *paths, "--every"]) == 0
    assert "S02" in capsys.readouterr().out


def test_a_folder_of_results_is_enough(tmp_path):
    write(tmp_path / "verdict.json", make_record())
    assert read_record(tmp_path) == make_record()


def test_one_key_of_one_measurement():
    """Tables of a project are told apart by their names, not shown whole."""
    before, after = make_record(), make_record()
    for record in (before, after):
        record["settings"]["project"] = {
            "model": [{"name": "corner", "structures": "a.cif"}, {"name": "edge", "structures": "b.cif"}]
        }
    after["settings"]["project"]["model"][1]["structures"] = "c.cif"
    (change,) = compare_records(before, after)
    assert (change.kind, change.what) == ("setting", "project, model, edge, structures")
    assert (change.before, change.after) == ("b.cif", "c.cif")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "does not exist"),
        ("{", "this is no JSON"),
        ("[]", "no verdict of schema"),
        ('{"schema": "other/2"}', "found 'other/2'"),
    ],
)
def test_what_is_no_verdict_is_refused(tmp_path, text, message):
    path = tmp_path / "verdict.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_record(path)
