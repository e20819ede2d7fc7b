"""S(Q), F(Q) and i(Q) in the files of several programs, and what is no structure factor."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shortrange.errors import DataError
from shortrange.load import load, load_gr, load_iq, load_sq
from shortrange.quantities import SQ

Write = Callable[..., Path]

Q = np.round(0.5 + 0.05 * np.arange(400), 6)
S = 1.0 + np.sin(2.4 * Q) / (2.4 * Q)
B2 = 0.41

X3 = "[DEFAULT]\nversion = pdfgetx3-2.0\noutputtype = {kind}\ncomposition = NaTaCl6\nqmax = 20\nrpoly = 0.9\n"
X2 = (
    "History written: Mon\n####### Get_XPDF #######\nlambda=0.142773\n##### start data\n#S 1\n"
    "#L Q {name} dQ dF\n"
)
GUDRUN = "# sls18502.mdcs01\n#  D2O in 4mm can\n#     1  1001\n#  0.1E+02\n"


def body(*columns: np.ndarray) -> str:
    return "\n".join(" ".join(f"{v:.12g}" for v in row) for row in zip(*columns, strict=True)) + "\n"


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("a.sq", X3.format(kind="sq") + "#### start data\n#S 1\n#L Q  S\n" + body(Q, S), {}),
        ("a.fq", X3.format(kind="fq") + "#### start data\n#S 1\n#L Q  F\n" + body(Q, Q * (S - 1)), {}),
        ("a.fq", X3.format(kind="fq") + "#### start data\n" + body(Q, Q * (S - 1)), {}),
        ("b.sq", X2.format(name="S(Q)") + body(Q, S, 0 * Q, 0.1 + 0 * Q), {}),
        ("b.fq", X2.format(name="F(Q)") + body(Q, Q * (S - 1), 0 * Q, 0.1 + 0 * Q), {}),
        ("c.mint01", GUDRUN + body(Q, B2 * (S - 1), 0.01 + 0 * Q), {"mean_b_squared": B2}),
        ("d.csv", "Q,SQ,\n" + body(Q, S).replace(" ", ","), {}),
        ("e.csv", ",Q,F,dF\n" + body(np.arange(Q.size), Q, Q * (S - 1), 1e-7 + 0 * Q).replace(" ", ","), {}),
        ("f.dat", "Q i(Q) error\n" + body(Q, B2 * (S - 1), 0.01 + 0 * Q), {"mean_b_squared": B2}),
        ("g.dat", body(Q, S - 1), {"function": "S-1"}),
    ],
)
def test_every_program_gives_the_same(write: Write, name: str, text: str, options: dict) -> None:
    sq = load_sq(write(text, name), **options)
    np.testing.assert_allclose(sq.q, Q)
    np.testing.assert_allclose(sq.s, S, atol=1e-9)
    if "composition" in text:
        assert sq.composition == {"Na": 1.0, "Ta": 1.0, "Cl": 6.0}
        done = next(s for s in sq.history if s.name == "settings in the header")
        assert (done.settings["qmax"], done.settings["rpoly"]) == (20.0, 0.9)


def test_recognised_without_being_told(write: Write) -> None:
    text = X3.format(kind="sq") + "#### start data\n#S 1\n#L Q  S\n" + body(Q, S)
    assert isinstance(load(write(text, "download")), SQ)
    with pytest.raises(DataError, match="holds a structure factor"):
        load_gr(write(text, "download"))
    with pytest.raises(DataError, match="holds a structure factor"):
        load_iq(write(GUDRUN + body(Q, S), "a.mint01"), axis="q")


def test_errors_follow_the_function(write: Write) -> None:
    """sigma of S is that of F over Q."""
    sq = load_sq(write("Q F(Q) dF\n" + body(Q, Q * (S - 1), 0.2 + 0 * Q), "a.fq"))
    np.testing.assert_allclose(sq.sigma, 0.2 / Q)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (body(Q, S), {}, r"nothing says whether the second column is S\(Q\) or F\(Q\)"),
        ("Q S(Q)\n" + body(Q, S - 1), {}, "must tend to 1 at high Q, but this tends to"),
        ("Q i(Q)\n" + body(Q, S - 1), {}, "without the scattering lengths"),
        ("Q S(Q)\n" + body(Q[::-1], S), {}, "Q does not increase"),
        ("Q S(Q)\n" + body(Q - 1, S), {}, "Q begins at -0.5"),
        ("Q F(Q)\n" + body(Q - 0.5, S), {}, "at Q = 0 does not determine"),
        ("Q S(Q)\n" + body(Q, S), {"function": "T"}, "unknown function 'T'"),
    ],
)
def test_what_is_no_structure_factor(write: Write, text: str, options: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_sq(write(text, "a.dat"), **options)


def test_measured_files(shared_data: Path) -> None:
    """Liquid argon (Yarnell 1973), water by Gudrun, silica of ISIS: each tends to 1."""
    folder = shared_data / "pdf_gr/amorphous"
    argon = load_sq(folder / "argon_yarnell.sq")
    assert argon.s[np.argmax(argon.s)] == pytest.approx(2.7, abs=0.1)
    assert argon.q[np.argmax(argon.s)] == pytest.approx(2.0, abs=0.05)
    for name, b2 in (("D2O_SLS18502.mint01", 0.41), ("SiO2_glass_ISIS_iQ.txt", 0.2758)):
        sq = load_sq(folder / name, mean_b_squared=b2)
        assert np.mean(sq.s[-100:]) == pytest.approx(1.0, abs=0.02)
