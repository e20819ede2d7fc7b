"""Athena projects: Perl of all ages, JSON, what is stored beside the data, what is refused, round trips."""

import gzip
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortrange.errors import DataError
from shortrange.load import load_scans
from shortrange.load.athena import _perl_value
from shortrange.quantities import MuE
from shortrange.reduce.normalise import normalise
from shortrange.report.athena import write_athena

ENERGY = np.linspace(9700.0, 10100.0, 81)
MU = 0.8 / (1 + np.exp(-(ENERGY - 9881.0) / 2.0))


def perl(**changes):
    args = {"label": "Ta", "bkg_eshift": "0", "bkg_z": "Ta", "fft_edge": "l3", **changes}
    text = ",".join(f"'{k}','{v}'" for k, v in args.items())
    x, y = (",".join(f"'{v:.8g}'" for v in values) for values in (ENERGY, MU))
    return (
        f"# Athena project file -- Athena version 0.8.039\n$old_group = 'wosk';\n@args = ({text});\n"
        f"@x = ({x});\n@y = ({y});\n[record]   # create object\n\n1;\n"
    )


def written(tmp_path, text, name="a.prj"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_perl(tmp_path, packed):
    text = perl().encode()
    (scan,) = load_scans(written(tmp_path, gzip.compress(text) if packed else text))
    np.testing.assert_allclose(scan.energy, ENERGY)
    np.testing.assert_allclose(scan.columns["mu"], MU, rtol=1e-7)
    assert (scan.element, scan.edge, scan.label) == ("Ta", "L3", "Ta")
    assert scan.metadata["athena.fft_edge"] == "l3"


def test_json(tmp_path):
    record = {
        "args": {"label": "Ta", "bkg_eshift": "-0.5", "bkg_z": "Ta", "fft_edge": "l3"},
        "x": [str(v) for v in ENERGY],
        "y": list(MU),
        "i0": ["1"] * 83,
    }
    content = {"_____header1": "# Athena project file -- Demeter version 0.9.21", "abcde": record}
    (scan,) = load_scans(written(tmp_path, json.dumps(content)))
    np.testing.assert_allclose(scan.energy, ENERGY - 0.5)
    assert "i0" not in scan.columns
    names = [done.name for done in scan.history]
    assert "apply the energy shift of the project" in names
    assert "note: i0 left out, of another length" in names


def test_shift_is_applied(tmp_path):
    (scan,) = load_scans(written(tmp_path, perl(bkg_eshift="1.25")))
    np.testing.assert_allclose(scan.energy, ENERGY + 1.25)


def test_records_of_chi_are_left_out_and_told(tmp_path):
    other = perl(label="chi", is_chi="1").split("\n", 1)[1]
    scans = load_scans(written(tmp_path, perl().replace("1;\n", "") + other))
    assert [scan.label for scan in scans] == ["Ta"]
    told = next(done for done in scans[0].history if "not mu(E)" in done.name)
    assert told.settings["records"] == ["chi"]
    with pytest.raises(DataError, match="holds no mu"):
        load_scans(written(tmp_path, perl(is_chi="1"), "b.prj"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (perl().split("[record]")[0], "not closed by"),
        (perl().replace("[record]", "@y = ('1','2');\n[record]"), "81 energies and 2 values"),
        (perl().replace("'9700'", "'nothing'"), "no number"),
        (perl().replace("'9700'", "'nan'"), "not finite"),
        (perl(bkg_eshift="much"), "energy shift 'much'"),
        (perl()[: perl().index("@y") - 40], "not closed|cannot read"),
        ('{"_____header1": "# Athena project file --", "a": ', "damaged"),
        ('{"_____header1": "# Athena project file --", "_____order": ["b"]}', "damaged"),
        ("# Athena project file -- Demeter version 0.9.26\n1;\n", "no mu"),
        (perl().replace("'9705'", "'9700'"), "repeated"),
    ],
)
def test_bad_projects(tmp_path, text, words):
    with pytest.raises(DataError, match=words) as caught:
        load_scans(written(tmp_path, text))
    assert "a.prj" in caught.value.where


def test_another_edge_than_asked_for(tmp_path):
    with pytest.raises(DataError, match="states element 'Ta'"):
        load_scans(written(tmp_path, perl()), element="Cl", edge="K")


def test_perl_values(tmp_path):
    text = r"""('a\'b', "c", undef, [1, 'x,y'], {'k' => 'v'}, -1.5e3);"""
    assert _perl_value(text, tmp_path, 1) == ["a'b", "c", "", ["1", "x,y"], ["k", "v"], "-1.5e3"]
    assert _perl_value(r"'\x{e9}t'", tmp_path, 1) == "ét"


@given(st.binary(max_size=300), st.integers(0, 900))
@settings(max_examples=60)
def test_damage_is_an_error_never_a_crash(tmp_path_factory, noise, place):
    text = perl().encode()
    path = tmp_path_factory.mktemp("prj") / "a.prj"
    path.write_bytes(text[:60] + text[60 : 60 + place] + noise + text[60 + place :])
    try:
        scans = load_scans(path, format="athena")
    except DataError:
        return
    for scan in scans:
        assert np.isfinite(scan.columns["mu"]).all()


# xraylarch leaves its files open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_round_trip_and_xraylarch(tmp_path):
    from larch.io import read_athena

    first = MuE(energy=ENERGY, mu=MU, sigma=0.01 + 0 * MU, element="Ta", edge="L3", label="it's µ\\Ta")
    second = MuE(energy=ENERGY + 1, mu=2 * MU, label="two")
    normalised = normalise(first, near=9881.0)
    path = write_athena(tmp_path / "out.prj", [first, second], normalised={first.label: normalised})
    a, b = load_scans(path)
    np.testing.assert_array_equal(a.energy, first.energy)
    np.testing.assert_array_equal(a.columns["mu"], first.mu)
    np.testing.assert_array_equal(a.columns["stddev"], first.sigma)
    np.testing.assert_array_equal(b.columns["mu"], second.mu)
    assert (a.label, a.element, a.edge) == (first.label, "Ta", "L3")
    assert (b.element, b.edge) == (None, None)
    assert float(a.metadata["athena.bkg_e0"]) == normalised.e0
    theirs = list(read_athena(str(path), do_preedge=False).groups.values())
    np.testing.assert_allclose(theirs[0].mu, first.mu)
    assert theirs[0].athena_params.bkg.e0 == pytest.approx(normalised.e0)
    assert (
        path.read_bytes()
        == write_athena(
            tmp_path / "again.prj", [first, second], normalised={first.label: normalised}
        ).read_bytes()
    )
    with pytest.raises(DataError, match="no spectrum"):
        write_athena(path, [])


# xraylarch leaves its files open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_measured_projects(shared_data):
    """Every project is read as xraylarch reads it, but for the energy shifts that Athena applies."""
    from larch.io import read_athena

    paths = sorted((shared_data / "xas_prj").rglob("*.prj"))
    assert len(paths) == 15
    for path in paths:
        ours = {scan.label: scan for scan in load_scans(path)}
        assert ours
        groups = read_athena(str(path), do_preedge=False).groups
        for group in groups.values():
            scan = ours.get(str(group.label).strip())
            if scan is None:  # over pixels of a detector, not energies
                assert "pixel" in group.label
                continue
            shift = float(getattr(group.athena_params.bkg, "eshift", 0) or 0)
            np.testing.assert_allclose(scan.energy, np.array(group.energy) + shift, atol=1e-6)
            np.testing.assert_array_equal(scan.columns["mu"], group.mu)


def test_a_cut_gzip(tmp_path):
    with pytest.raises(DataError, match="damaged"):
        load_scans(written(tmp_path, gzip.compress(perl().encode())[:-30]))
