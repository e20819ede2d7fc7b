"""XAS text: round trips, and one message for each way a file can be bad."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shortrange.errors import DataError
from shortrange.load import load_scans
from shortrange.quantities import Scan
from shortrange.units import HC

Write = Callable[..., Path]

ENERGY = np.linspace(9700.0, 10100.0, 81)
I0 = 1e5 + 100.0 * np.cos(np.arange(81.0))
IT = I0 * np.exp(0.5 - 0.8 / (1 + np.exp(-(ENERGY - 9881.0) / 2.0)))
HEAD = """# XDI/1.0
# Column.1: energy eV
# Column.2: i0
# Column.3: itrans
# Element.symbol: Ta
# Element.edge: L3
#---
"""


def lines(
    energy: np.ndarray = ENERGY, i0: np.ndarray = I0, it: np.ndarray = IT, fmt: str = "%.6f"
) -> list[str]:
    return [" ".join(fmt % v for v in row) for row in zip(energy, i0, it, strict=True)]


def xdi(body: list[str]) -> str:
    return HEAD + "\n".join(body) + "\n"


def columns(body: list[str]) -> str:
    return "# energy i0 it\n" + "\n".join(body) + "\n"


def steps(scan: Scan) -> list[str]:
    return [done.name for done in scan.history]


# --- round trips ---

numbers = st.floats(-1e12, 1e12, allow_subnormal=False)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.integers(5, 30).flatmap(lambda n: arrays(float, (n, 3), elements=numbers)),
    sep=st.sampled_from([" ", "\t", ", ", ","]),
    fmt=st.sampled_from(["%.17g", "%.17e"]),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    end=st.sampled_from(["", "\n", "\n\n", " \n"]),
)
def test_numbers_survive(
    write: Write, values: np.ndarray, sep: str, fmt: str, newline: str, end: str
) -> None:
    energy = 1000.0 + np.arange(len(values)) * 0.7
    body = newline.join(sep.join(fmt % v for v in (e, *row)) for e, row in zip(energy, values, strict=True))
    title = sep.strip().join(["# energy", " i0", " it", " Other"]) if "," in sep else "# energy i0 it Other"
    (scan,) = load_scans(write(title + newline + body + end))
    np.testing.assert_array_equal(scan.energy, energy)
    for i, name in enumerate(("i0", "it", "other")):
        np.testing.assert_array_equal(scan.columns[name], values[:, i])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(st.floats(0.05, 10.0), min_size=5, max_size=60),
    unit=st.sampled_from(["eV", "keV", "degrees"]),
    down=st.booleans(),
)
def test_xdi_axes(write: Write, moves: list[float], unit: str, down: bool) -> None:
    """One sweep written in eV, keV or Bragg angle, up or down, is one sweep."""
    energy = 9500.0 + np.cumsum(moves)
    signal = np.arange(energy.size, dtype=float)
    d = 3.1356
    axis = {"eV": energy, "keV": energy / 1e3, "degrees": np.degrees(np.arcsin(HC / (2 * d * energy)))}[unit]
    if down:
        axis, signal = axis[::-1], signal[::-1]
    name = "angle" if unit == "degrees" else "energy"
    head = f"# XDI/1.1\n# Column.1: {name} {unit}\n# Column.2: mutrans\n# Mono.d_spacing: {d}\n#---\n"
    (scan,) = load_scans(
        write(head + "\n".join(f"{e:.14g} {s:g}" for e, s in zip(axis, signal, strict=True)))
    )
    np.testing.assert_allclose(scan.energy, energy, rtol=1e-10)
    np.testing.assert_array_equal(scan.columns["mu"], np.arange(energy.size))
    assert ("warning: reverse a scan measured downwards" in steps(scan)) == down
    assert any("keV to eV" in name for name in steps(scan)) == (unit == "keV")


def test_bragg_energy_of_a_published_angle(write: Write) -> None:
    """Si 111 at 10.307306 degrees is 11.0500 keV: the pair that a beamline wrote in one row of its file."""
    head = "# XDI/1.1\n# Column.1: angle degrees\n# Column.2: mutrans\n# Mono.d_spacing: 3.13542\n#---\n"
    body = "\n".join(f"{10.307306 - 0.001 * i:.6f} {i}" for i in range(6))
    (scan,) = load_scans(write(head + body))
    assert scan.energy[0] == pytest.approx(11050.02, abs=0.5)


def test_metadata_and_unknown_columns(write: Write) -> None:
    text = xdi([f"{row} 300.5" for row in lines()]).replace(
        "#---", "# Column.4: Sample_T K\n# Sample.name: NaTaCl6\n# GSE.EXTRA: config 1\n# ///\n# pellet\n#---"
    )
    (scan,) = load_scans(write(text))
    assert scan.metadata["sample.name"] == "NaTaCl6"
    assert scan.metadata["gse.extra"] == "config 1"
    assert scan.metadata["comments"] == "pellet"
    assert scan.metadata["xdi.version"] == "1.0"
    assert set(scan.columns) == {"i0", "it", "sample_t"}
    assert (scan.columns["sample_t"] == 300.5).all()
    assert (scan.element, scan.edge) == ("Ta", "L3")


def test_fortran_exponents(write: Write) -> None:
    body = [row.replace("e", "D") for row in lines(fmt="%.9e")]
    (scan,) = load_scans(write(columns(body)))
    np.testing.assert_allclose(scan.columns["it"], IT, rtol=1e-9)
    note = next(done for done in scan.history if done.name == "warning: read Fortran D exponents")
    assert note.settings == {"rows": 81, "first_line": 2}


@pytest.mark.parametrize("element", [("Ta", "L3"), ("Ta", None)])
def test_kev_found_by_the_edge(write: Write, element: tuple[str, str | None]) -> None:
    path = write(columns(lines(ENERGY / 1e3)))
    (scan,) = load_scans(path, element=element[0], edge=element[1])
    np.testing.assert_allclose(scan.energy, ENERGY)
    assert "warning: take the energies as keV" in steps(scan)


@pytest.mark.parametrize(
    "title", ["Energy(keV) i0 it", "Energy (keV) i0 it", "energy_keV\ti0\tit", "Energy [keV],i0,it"]
)
def test_unit_in_the_title(write: Write, title: str) -> None:
    (scan,) = load_scans(write(f"# {title}\n" + "\n".join(lines(ENERGY / 1e3))))
    np.testing.assert_allclose(scan.energy, ENERGY)
    assert "convert energies from keV to eV" in steps(scan)


@pytest.mark.parametrize(
    ("title", "roles"),
    [
        ("e i1 i0 iref", {"it", "i0", "ir"}),
        ("Energy I0 If TEY", {"i0", "if", "tey"}),
        ("eBraggEnergy I0_EH1 I1_EH1 IR_EH2", {"i0", "it", "ir"}),
        ("energy xmu mu_ref Foo", {"mu", "mu_ref", "foo"}),
    ],
)
def test_titles_to_roles(write: Write, title: str, roles: set[str]) -> None:
    (scan,) = load_scans(write(f"# {title}\n" + "\n".join(f"{row} 7.0" for row in lines())))
    assert set(scan.columns) == roles


def test_no_titles_two_columns(write: Write) -> None:
    (scan,) = load_scans(
        write("\n".join(f"{e:.3f} {m:.6f}" for e, m in zip(ENERGY, np.log(I0 / IT), strict=True)))
    )
    assert set(scan.columns) == {"mu"}
    assert "warning: no column titles, taken as energy and mu" in steps(scan)


def test_no_titles_roles_proved_by_the_logarithm(write: Write) -> None:
    body = [f"{row} {m:.9f}" for row, m in zip(lines(), np.log(I0 / IT), strict=True)]
    (scan,) = load_scans(write("\n".join(body)))
    assert set(scan.columns) == {"i0", "it", "mu"}
    np.testing.assert_allclose(scan.columns["it"], IT, atol=1e-5)
    (other,) = load_scans(write("\n".join(lines())))
    assert set(other.columns) == {"col2", "col3"}


def test_no_titles_and_no_energy(write: Write) -> None:
    with pytest.raises(DataError, match="no titles, and the first one, from 0, is no energy"):
        load_scans(write("\n".join(f"{i} {i * i}.5" for i in range(50))))


def test_encoder_jitter_is_sorted_and_told(write: Write) -> None:
    energy = ENERGY.copy()
    energy[40] = energy[41] + 0.2
    (scan,) = load_scans(write(columns(lines(energy))))
    assert (np.diff(scan.energy) > 0).all()
    np.testing.assert_allclose(scan.columns["i0"][40:42], I0[[41, 40]], atol=1e-5)
    assert "warning: sort rows that encoder jitter put out of order" in steps(scan)


def test_zero_counts_are_told(write: Write) -> None:
    it = IT.copy()
    it[7] = 0.0
    (scan,) = load_scans(write(columns(lines(it=it))))
    doubt = next(done for done in scan.history if done.name == "warning: it is zero")
    assert doubt.settings == {"points": 1, "first_line": 9}


def test_spec_scans(write: Write) -> None:
    text = "#F a\n#C GeO2\n"
    for n in (1, 2):
        body = "\n".join(
            f"{i:.2f} {t:.2f} 1 {e / 1e3:.7f}" for e, i, t in zip(ENERGY + n, I0, IT, strict=True)
        )
        text += f"\n#S {n}  zapline\n#N 4\n#L Mon  Ion1  Ion2  ZapEnergy\n{body}\n#C done\n"
    one, two = load_scans(write(text))
    np.testing.assert_allclose(two.energy - one.energy, 1.0, atol=1e-9)
    np.testing.assert_allclose(one.columns["i0"], I0, atol=0.01)
    np.testing.assert_allclose(one.columns["it"], IT, atol=0.01)
    assert one.source.endswith("scan.dat, scan 1")
    assert two.metadata["spec.c"] == "GeO2"
    assert (
        next(s for s in one.history if s.name == "load scan").settings["profile"] == "ESRF SNBL BM31 zapline"
    )


# --- bad input: text -> class of message, line in the file (counted from one), word in `where` ---

ROWS = lines()
H = HEAD.count("\n")


def changed(index: int, old: str, new: str) -> list[str]:
    body = list(ROWS)
    assert old in body[index]
    body[index] = body[index].replace(old, new, 1)
    return body


def swapped() -> list[str]:
    body = list(ROWS)
    body[10], body[11] = body[11], body[10]
    return body


BAD_ROWS = {
    "nan": (changed(10, f"{IT[10]:.6f}", "NaN"), "'NaN' is not a finite number", 11, "column 3"),
    "inf": (changed(10, f"{IT[10]:.6f}", "-Inf"), "'-Inf' is not a finite number", 11, "column 3"),
    "text row": (
        [*ROWS[:10], "beam lost 12 34", *ROWS[10:]],
        "'beam' stands where a number should",
        11,
        "column 1",
    ),
    "text cell": (changed(10, f"{I0[10]:.6f}", "abc"), "'abc' stands where a number should", 11, "column 2"),
    "text in the first row": (
        changed(0, f"{I0[0]:.6f}", "abc"),
        "'abc' stands where a number should",
        1,
        "column 2",
    ),
    "two points": (
        changed(10, f"{IT[10]:.6f}", "1.2.3"),
        "'1.2.3' stands where a number should",
        11,
        "column 3",
    ),
    "underscore": (
        changed(10, f"{IT[10]:.6f}", "1_000"),
        "'1_000' stands where a number should",
        11,
        "column 3",
    ),
    "comma decimals": (
        [row.replace(".", ",") for row in ROWS],
        "'9700,000000' has a decimal comma",
        1,
        "column 1",
    ),
    "one comma decimal": (changed(10, ".", ","), "has a decimal comma", 11, "column 1"),
    "cut row": (
        [*ROWS[:-1], ROWS[-1].rsplit(" ", 1)[0]],
        "the row has 2 columns where the others have 3",
        81,
        "",
    ),
    "extra column": (changed(10, " ", " 5.0 "), "the row has 4 columns where the others have 3", 11, ""),
    "swapped rows": (swapped(), r"turn back from 9755 to 9750 eV \(row 12\)", 12, ""),
    "doubled rows": (
        [row for row in ROWS for _ in (0, 1)],
        "81 of the energies are repeated, first 9700",
        1,
        "and",
    ),
    "one doubled row": ([*ROWS[:11], *ROWS[10:]], "1 of the energies are repeated, first 9750 eV", 11, "and"),
    "joined scans": (ROWS + ROWS, r"turn back from 10100 to 9700 eV \(row 82\)", 82, ""),
    "down and up": (ROWS[::-1] + ROWS[1:], "repeated|turn back", None, ""),
    "shuffled": (list(np.random.default_rng(3).permutation(ROWS)), "the energies turn back", None, ""),
    "too few points": (ROWS[:3], "there are only 3 points", None, ""),
}


@pytest.mark.parametrize("form", ["xdi", "columns"])
@pytest.mark.parametrize("name", BAD_ROWS)
def test_bad_rows(write: Write, name: str, form: str) -> None:
    body, message, row, column = BAD_ROWS[name]
    text, head = (xdi(body), H) if form == "xdi" else (columns(body), 1)
    path = write(text, "ta." + form)
    with pytest.raises(DataError, match=message) as caught:
        load_scans(path)
    assert str(path) in caught.value.where
    if row is not None:
        places = caught.value.where.replace(",", " ").split()
        assert str(row + head) in places
    assert column in caught.value.where
    assert caught.value.do


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            columns(lines()),
            {"element": "S", "edge": "K"},
            r"S K \(2472 eV\) does not lie in the scan, 9700 to 10100",
        ),
        (columns(lines()), {"element": "S"}, "does not lie in the scan"),
        (columns(lines()), {"element": "Tx"}, "'Tx' is not a chemical element"),
        (columns(lines()), {"element": "Ta", "edge": "L5"}, "Ta has no edge 'L5'"),
        (xdi(lines()), {"element": "W", "edge": "L3"}, "states element 'Ta' where 'W' was asked for"),
        (xdi(lines()), {"element": "Ta", "edge": "L2"}, "states edge 'L3' where 'L2' was asked for"),
        (
            "# x y z\n" + "\n".join(lines()),
            {},
            r"none of the columns \['x', 'y', 'z'\] is known as the energy",
        ),
        ("#S 1 ascan\n#N 3\n" + "\n".join(lines()), {}, r"the scan has no column titles \(#L\)"),
        ("#S 1 ascan\n#N 3\n#L a  b\n" + "\n".join(lines()), {}, r"the titles \(#L\) do not fit 3 columns"),
        ("#F a\n#D b\n", {}, "there is no scan"),
        (xdi(lines()).replace("# XDI/1.0\n", ""), {"format": "xdi"}, "the first line does not name XDI"),
        (
            xdi(lines()).replace("energy eV", "angle degrees"),
            {},
            "the lattice spacing of the crystal is not given",
        ),
    ],
)
def test_bad_files(write: Write, text: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load_scans(write(text), **options)
    assert "scan.dat" in caught.value.where


@pytest.mark.parametrize(
    "field",
    [
        "Family.key:",
        "Family:key: Value",
        "Family.key.subkey: Value",
        "2000Family.key: Value",
        "Family.key Value",
    ],
)
def test_malformed_xdi_fields(write: Write, field: str) -> None:
    with pytest.raises(DataError, match="is not a header field") as caught:
        load_scans(write(HEAD.replace("#---", f"# {field}\n#---") + "\n".join(ROWS)))
    assert caught.value.where.endswith("line 7")


@pytest.mark.parametrize(
    ("old", "new", "doubt"),
    [
        ("#---", "#", "note: the header is not closed by a line '#---'"),
        ("# Element.edge: L3", "#", "note: the header lacks required fields"),
        ("L3", "L9", "warning: the file names an edge that does not exist"),
        ("Ta", "Foo", "warning: the file names no element of the periodic table"),
        ("Ta", "Cu", "warning: the edge that the file names does not lie in the scan"),
        ("Column.3", "Column.4", "warning: Column.N fields and table differ"),
        ("#---", "# Mono.d_spacing: wide\n#---", "warning: Mono.d_spacing is not a length"),
        (
            "#---",
            "# Scan.start_time: 2001-13-26 22:27:31\n#---",
            "note: scan.start_time is not a date and time",
        ),
        (
            "#---",
            "# Facility.energy: 7.00 GeV or so\n#---",
            "note: facility.energy is not a number with a unit",
        ),
    ],
)
def test_doubtful_xdi_headers_are_told(write: Write, old: str, new: str, doubt: str) -> None:
    (scan,) = load_scans(write(HEAD.replace(old, new, 1) + "\n".join(ROWS)))
    assert doubt in steps(scan)
    assert scan.energy.size == 81
