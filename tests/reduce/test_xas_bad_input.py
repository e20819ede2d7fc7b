"""What can be wrong with an absorption scan: a clear error, or a repair that the result tells.

Every fault of the numbers is put into four formats and taken through loading and the whole reduction. Where a
result comes out, it says what was done, and its E0 and edge step are right; no number is given in silence.
"""

import re
from collections.abc import Callable

import numpy as np
import pytest
from xas_samples import E0, grid, mu_of

from shortrange.errors import DataError
from shortrange.load import load_scans
from shortrange.reduce.xas import reduce_xas

Rows = list[list[str]]

STEP = 1.063
"""Of the simulated scan with the usual ranges: the slope of the atomic part makes it a little more than 1."""

HEADS = {
    "xdi": "# XDI/1.0\n# Column.1: energy eV\n# Column.2: i0\n# Column.3: itrans\n"
    "# Element.symbol: Ta\n# Element.edge: L3\n#---\n",
    "columns": "# energy i0 itrans\n",
    "csv": "energy,i0,itrans\n",
    "spec": "#F test\n#D now\n\n#S 1  scan\n#N 3\n#L energy  i0  itrans\n",
}


def table(*, noise=1e-3, seed=0, **settings) -> Rows:
    energy = grid(**settings)
    mu = mu_of(energy) + noise * np.random.default_rng(seed).normal(size=energy.size)
    return [[f"{e:.5f}", "100000.0", f"{1e5 * np.exp(-m):.4f}"] for e, m in zip(energy, mu, strict=True)]


def file_of(kind: str, rows: Rows, path) -> None:
    separator = "," if kind == "csv" else " "
    path.write_text(HEADS[kind] + "\n".join(separator.join(row) for row in rows) + "\n", encoding="utf-8")


def near(value: float) -> int:
    return int(np.argmin(np.abs(grid() - value)))


def with_cell(row: int, column: int, text: str) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        rows[row][column] = text
        return rows

    return change


def scaled(energy=lambda e: e, transmitted=lambda t, e: t) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        e, t = (np.array([float(row[i]) for row in rows]) for i in (0, 2))
        new_e, new_t = energy(e), transmitted(t, e)
        return [[f"{a:.6f}", row[1], f"{b:.4f}"] for row, a, b in zip(rows, new_e, new_t, strict=True)]

    return change


def between(low: float, high: float) -> Callable[[Rows], Rows]:
    return lambda rows: [row for row in rows if low <= float(row[0]) - E0 <= high]


def shuffled(rows: Rows) -> Rows:
    return [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]


def swapped(rows: Rows) -> Rows:
    rows[150], rows[151] = rows[151], rows[150]
    return rows


def noise_only(t, e):
    return 1e5 * np.exp(-0.5 + 0.01 * np.random.default_rng(0).normal(size=e.size))


def inverse(t, e):
    return 1e5 * np.exp(-(2.5 + np.log(t / 1e5)))


SPIKE, FAR = near(E0 + 200), near(E0 + 400)
# What is done, and the error ("!" first) or the words of the history that must tell of it.
FAULTS: dict[str, tuple[Callable[[Rows], Rows], str]] = {
    "nan": (with_cell(100, 2, "nan"), "!not a finite number"),
    "inf": (with_cell(100, 2, "inf"), "!not a finite number"),
    "minus inf in i0": (with_cell(100, 1, "-inf"), "!not a finite number"),
    "nan energy": (with_cell(100, 0, "NaN"), "!not a finite number"),
    "zero in it": (with_cell(100, 2, "0"), "!is 0 at point 101"),
    "negative it": (with_cell(100, 2, "-5"), "!is -5 at point 101"),
    "zero in i0": (with_cell(100, 1, "0.0"), "!is 0 at point 101"),
    "one spike": (with_cell(SPIKE, 2, "30000.0"), "glitches masked"),
    "one huge spike": (with_cell(SPIKE, 2, "0.001"), "glitches masked"),
    "a spike on the edge": (with_cell(near(E0 + 8), 2, "90000.0"), "glitch|spike|!"),
    "shuffled": (shuffled, "!turn back"),
    "descending": (lambda rows: rows[::-1], "reverse a scan measured downwards"),
    "two rows swapped": (swapped, "!turn back"),
    "every row twice": (lambda rows: [row for row in rows for _ in (0, 1)], "!repeated"),
    "one row twice": (lambda rows: [*rows[:100], rows[99], *rows[100:]], "!repeated"),
    "two scans joined": (lambda rows: rows + rows, "!turn back|repeated"),
    "keV": (scaled(energy=lambda e: e / 1e3), "keV|!"),
    "MeV": (scaled(energy=lambda e: e / 1e6), "!does not lie in the scan"),
    "no pre-edge": (between(-5, 1e4), "!well inside"),
    "pre-edge of 20 eV": (between(-20, 1e4), "short pre-edge"),
    "ends at E0 + 10": (between(-1e4, 10), "!well inside"),
    "ends at E0 + 60": (between(-1e4, 60), "end before EXAFS begins"),
    "ends at E0 + 150": (between(-1e4, 150), "short post-edge"),
    "stops before the edge": (between(-1e4, -40), "!does not lie in the scan"),
    "constant": (scaled(transmitted=lambda t, e: 0 * t + 6e4), "!no edge|falls everywhere"),
    "negated": (scaled(transmitted=inverse), "!no edge|falls everywhere"),
    "noise only": (scaled(transmitted=noise_only), "!no edge"),
    "dead beam at the end": (lambda rows: [*rows[:-30], *[[r[0], "0", "0"] for r in rows[-30:]]], "!is 0 at"),
    "zero points": (lambda rows: [], "!no row of two or more numbers"),
    "one point": (lambda rows: rows[:1], "!only 1 points|1 points"),
    "two points": (lambda rows: rows[100:102], "!points"),
    "three points": (lambda rows: rows[100:103], "!points"),
    "ten points": (lambda rows: rows[::35], "!points"),
    "a text row": (lambda rows: [*rows[:50], ["beam", "was", "lost"], *rows[50:]], "!stands where a number"),
    "a text cell": (with_cell(50, 1, "off"), "!'off' stands where a number"),
    "two points in a number": (with_cell(50, 2, "1.2.3"), "!'1.2.3' stands where a number"),
    "underscore in a number": (with_cell(50, 2, "30_000"), "!'30_000' stands where a number"),
    "Fortran exponents": (
        lambda rows: [[r[0], r[1], f"{float(r[2]) / 1e4:.8f}D+04"] for r in rows],
        "Fortran D exponents",
    ),
    "cut last row": (lambda rows: [*rows[:-1], rows[-1][:2]], "!columns where the others have"),
    "a row too long": (lambda rows: [*rows[:50], [*rows[50], "7"], *rows[51:]], "!columns where the others"),
    "a row too short": (lambda rows: [*rows[:50], rows[50][:2], *rows[51:]], "!columns where the others"),
    "another edge": (scaled(energy=lambda e: e + 3000), "!does not lie in the scan"),
    "energies in angles": (
        scaled(energy=lambda e: np.degrees(np.arcsin(12398.42 / 6.271 / e))[::-1]),
        "!does not lie in the scan",
    ),
    "energies from 1 to n": (scaled(energy=lambda e: np.arange(e.size) + 1.0), "!does not lie in the scan"),
    "far jump back": (lambda rows: [*rows[:200], *rows[190:]], "!turn back"),
}


def outcome(path, **settings):
    """Result of everything, or the error."""
    try:
        scans = load_scans(path, element="Ta", edge="L3")
        return reduce_xas(scans, element="Ta", edge="L3", **settings)
    except DataError as error:
        return error


def test_there_are_enough_cases():
    assert len(FAULTS) * len(HEADS) >= 120


@pytest.mark.parametrize("kind", sorted(HEADS))
def test_the_sound_scan(tmp_path, kind):
    file_of(kind, table(), tmp_path / "scan.dat")
    sound = outcome(tmp_path / "scan.dat")
    assert sound.normalised.edge_step == pytest.approx(STEP, rel=0.01)
    assert sound.normalised.e0 == pytest.approx(E0 + 0.5, abs=0.7)


@pytest.mark.parametrize("kind", sorted(HEADS))
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_faults(tmp_path, fault, kind):
    change, words = FAULTS[fault]
    path = tmp_path / "scan.dat"
    file_of(kind, change(table()), path)
    result = outcome(path)
    if isinstance(result, DataError):
        assert "!" in words, f"{fault}: {result}"
        assert _said(words, result.what), result
        assert "scan.dat" in result.where or "scan.dat" in result.what or result.where
        assert result.do
        return
    assert not words.startswith("!"), f"{fault} gave a number: {result.warnings}"
    told = [done.name for done in result.history] + list(result.warnings)
    assert any(_said(words, text) for text in told), told
    admitted = [int(percent) / 100 for percent in re.findall(r"wrong by (\d+) %", str(told))]
    assert result.normalised.edge_step == pytest.approx(STEP, rel=max([0.03, *admitted]))
    assert result.normalised.e0 == pytest.approx(E0 + 0.5, abs=0.8)


def _said(words: str, text: str) -> bool:
    return any(part and part in text for part in words.replace("!", "").split("|")) or words.endswith("|!")


@pytest.mark.parametrize(
    ("head", "rows", "words"),
    [
        ("# energy i0 itrans\n", "9800,5 1,0 2,0\n" * 30, "decimal comma"),
        ("# energy i0 itrans\n", "\x00\x01\x02\xff" * 300, "binary"),
        ("", "", "empty"),
        ("# energy i0 itrans\n", "", "no row"),
        ("# a b c\n", "9800 1 2\n9801 1 2\n" * 20, "known as the energy|repeated"),
        ("# energy mono dwell\n", "{rows}", "no column is known as mu"),
        ("# XDI/1.0\n# Column.1 energy\n#---\n", "{rows}", "not a header field"),
        ("# XDI/1.0\n# Element.symbol: Cl\n# Element.edge: K\n#---\n# energy i0 itrans\n", "{rows}", "'Cl'"),
        ("# XDI/1.0\n# Column.1: angle degrees\n#---\n", "{rows}", "lattice spacing"),
        ("#F x\n#S 1 a\n#N 3\n", "{rows}", "no column titles"),
        ("#F x\n#S 1 a\n#N 3\n#L energy i0\n", "{rows}", "do not fit|titles"),
    ],
)
def test_faults_of_formats(tmp_path, head, rows, words):
    path = tmp_path / "scan.dat"
    text = head + rows.replace("{rows}", "\n".join(" ".join(row) for row in table()))
    path.write_bytes(text.encode("latin-1"))
    result = outcome(path)
    assert isinstance(result, DataError), result
    assert any(part in str(result) for part in words.split("|")), result


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"e0": 7112.0}, "E0 = 7112.00"),
        ({"e0": E0 + 100}, "from the tabulated edge"),
        ({"e0": float("nan")}, "E0 = nan"),
        ({"k_range": (3, 40)}, "reach"),
        ({"k_range": (9, 3)}, "k_range 9 to 3"),
        ({"k_range": (-1, 9)}, "k_range -1 to 9"),
        ({"r_bkg": 0.0}, "r_bkg = 0"),
        ({"r_bkg": -1.0}, "r_bkg = -1"),
        ({"mode": "fluorescence"}, "needs the channels"),
        ({"mode": "transmision"}, "did you mean 'transmission'"),
    ],
)
def test_faulty_settings(tmp_path, settings, words):
    file_of("xdi", table(), tmp_path / "scan.dat")
    result = outcome(tmp_path / "scan.dat", **settings)
    assert isinstance(result, DataError), result
    assert words in str(result), result


def test_edges_are_not_mixed_in_a_merge(tmp_path):
    file_of("columns", table(), tmp_path / "a.dat")
    file_of("columns", scaled(energy=lambda e: e + 400)(table(seed=1)), tmp_path / "b.dat")
    scans = [scan for name in "ab" for scan in load_scans(tmp_path / f"{name}.dat")]
    result = reduce_xas(scans, element="Ta", edge="L3")
    assert [report.used for report in result.reports] == [True, False]
    assert any("scan rejected" in text for text in result.warnings)
    with pytest.raises(DataError, match="no edge"):
        reduce_xas(scans, element="Ta", edge="L9")


def test_no_scan():
    with pytest.raises(DataError, match="no scan"):
        reduce_xas([], element="Ta", edge="L3")
