"""Patterns and G(r): round trips, headers of the programs that write them, and bad input."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shortrange.errors import DataError
from shortrange.load import load_gr, load_iq

Write = Callable[..., Path]

Q = np.linspace(0.5, 20.5, 201)
INTENSITY = 100.0 / (1 + Q) + 5.0 * np.sin(Q)
R = np.round(0.01 * np.arange(1, 1001), 6)
G = np.sin(3.0 * R)
PYFAI = "# == pyFAI calibration ==\n# Wavelength: 2.5100e-11 m\n# --> a.chi\n#        {axis}             I \n"


def body(*columns: np.ndarray, fmt: str = "%.12g") -> str:
    return "\n".join(" ".join(fmt % v for v in row) for row in zip(*columns, strict=True)) + "\n"


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    wavelength=st.floats(0.1, 0.6),
    axis=st.sampled_from(["q_A^-1", "q_nm^-1", "2th_deg"]),
    sigma=st.booleans(),
)
def test_every_axis_is_the_same_q(write: Write, wavelength: float, axis: str, sigma: bool) -> None:
    q = Q[: np.searchsorted(Q, 0.9 * 4 * np.pi / wavelength)]
    two_theta = 2 * np.degrees(np.arcsin(q * wavelength / (4 * np.pi)))
    x = {"q_A^-1": q, "q_nm^-1": 10 * q, "2th_deg": two_theta}[axis]
    more = [np.full(q.size, 2.0)] if sigma else []
    text = f"# Wavelength: {wavelength * 1e-10:.12e} m\n# {axis} I{' sigma' if sigma else ''}\n"
    iq = load_iq(write(text + body(x, INTENSITY[: q.size], *more, fmt="%.17g"), "a.chi"))
    np.testing.assert_allclose(iq.q, q, rtol=1e-9)
    np.testing.assert_array_equal(iq.intensity, INTENSITY[: q.size])
    assert iq.wavelength == pytest.approx(wavelength, rel=1e-9)
    assert (iq.sigma is not None) == sigma


@pytest.mark.parametrize(
    "header",
    [
        PYFAI.format(axis="q_A^-1"),
        "#S 1 nickel\n#L Q I(Q)\n",
        "# Q(1/A) I\n",
        "a.tif\nQ (Inverse Angstroms)\nIntensity\n    201\n",
        "# q intensity\n",
    ],
)
def test_headers_that_name_q(write: Write, header: str) -> None:
    iq = load_iq(write(header + body(Q, INTENSITY), "a.chi"), wavelength=0.2510)
    np.testing.assert_allclose(iq.q, Q)
    assert iq.wavelength == 0.2510


@pytest.mark.parametrize(
    "header", ["#  tth(deg)  intensity\n", "a\n2-Theta Angle (Degrees)\nIntensity\n   201\n", "# 2theta I\n"]
)
def test_headers_that_name_an_angle(write: Write, header: str) -> None:
    """10 degrees at 0.2510 angstrom: 4 pi sin(5 deg) / 0.2510 = 4.3635 (by hand)."""
    x = np.linspace(1.0, 21.0, 201)
    path = write(header + body(x, INTENSITY), "a.xy")
    assert load_iq(path, wavelength=0.2510).q[90] == pytest.approx(4.3635, abs=2e-4)
    with pytest.raises(DataError, match="the axis is an angle and the wavelength is not known"):
        load_iq(path)


@pytest.mark.parametrize(
    ("text", "options", "message", "place"),
    [
        (
            body(Q, INTENSITY),
            {"wavelength": 0.25},
            "nothing says whether the first column is Q or 2theta",
            "",
        ),
        (body(Q, INTENSITY), {"axis": "twotheta"}, "unknown axis 'twotheta'", ""),
        ("# r_mm I\n" + body(Q, INTENSITY), {}, "a detector radius, from which Q cannot be had", ""),
        ("# chi_deg I\n" + body(Q, INTENSITY), {}, "a detector azimuth", ""),
        ("# 2th_rad I\n" + body(Q / 20, INTENSITY), {}, "2theta in radians", ""),
        (
            "# q_A^-1 I\n" + body(Q, INTENSITY),
            {"axis": "2theta"},
            "header says the axis is 'q', but '2theta'",
            "",
        ),
        (
            "# Q I\n" + body(Q, INTENSITY),
            {"wavelength": 0.71},
            "cannot be Q .* goes to 20.5, and at 0.71 .* 17.7",
            "",
        ),
        ("# Q I\n" + body(10 * Q, INTENSITY), {}, "cannot be Q .* goes to 205, and no X-ray source", ""),
        (
            "# 2theta I\n" + body(10 * Q, INTENSITY),
            {"wavelength": 0.7},
            "2theta of 205 degrees does not exist",
            "",
        ),
        (
            PYFAI.format(axis="q_A^-1") + body(Q, INTENSITY),
            {"wavelength": 0.71},
            "header says a wavelength of 0.251",
            "",
        ),
        (
            "# Q I\n" + body(Q, INTENSITY),
            {"wavelength": 25.1},
            "a wavelength of 25.1 angstrom is not one of X-rays",
            "",
        ),
        ("# Q I\n" + body(Q[::-1], INTENSITY), {}, "the axis falls back from 20.5 to 20.4", "line 3"),
        ("# Q I\n" + body(np.repeat(Q, 2), np.repeat(Q, 2)), {}, "the axis repeats 0.5", "line 3"),
        ("# Q I\n" + body(Q - 1, INTENSITY), {}, "the axis begins at -0.5", "line 2"),
        ("# Q I\n" + body(Q[:5], Q[:5]), {}, "there are only 5 points", ""),
        (
            "# Q I\n" + body(Q, INTENSITY) + "21.0 nan\n",
            {},
            "'nan' is not a finite number",
            "line 203, column 2",
        ),
        ("# Q I\n" + body(Q, INTENSITY).replace(".", ","), {}, "has a decimal comma", "line 2"),
    ],
)
def test_bad_patterns(write: Write, text: str, options: dict[str, object], message: str, place: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load_iq(write(text, "a.chi"), **options)
    assert "a.chi" in caught.value.where
    assert place in caught.value.where


@pytest.mark.parametrize(
    ("header", "x"),
    [
        ('# pyFAI\n# {\n#  "dist": 0.2,\n#  "wavelength": 2.51e-11\n# }\n# q_A^-1 I\n', Q),
        ("# Wavelength: 2.51e-11 m\n# q_nm^-1 I\n", 10 * Q),
        ("a.tif\nQ (Inverse Nanometres)\nIntensity\n    201\n# Wavelength = 0.251 A\n", 10 * Q),
    ],
)
def test_headers_that_name_the_wavelength(write: Write, header: str, x: np.ndarray) -> None:
    iq = load_iq(write(header + body(x, INTENSITY), "a.chi"))
    np.testing.assert_allclose(iq.q, Q)
    assert iq.wavelength == pytest.approx(0.251)


def test_text_of_table_programs(write: Write) -> None:
    """What spreadsheets call "Unicode text" is UTF-16 with its mark."""
    path = write("", "a.csv")
    path.write_bytes(("Q,I\n" + body(Q, INTENSITY).replace(" ", ",")).encode("utf-16"))
    np.testing.assert_allclose(load_iq(path).q, Q)


@pytest.mark.parametrize(("frames", "sigma"), [(1, 3.0), (2, 3.0 / np.sqrt(2))])
def test_hdf5_of_few_frames_keeps_the_errors_that_it_states(
    tmp_path: Path, frames: int, sigma: float
) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/integrated")
        group["q"] = 10 * Q
        group["q"].attrs["unit"] = "nm^-1"
        group["intensity"] = np.tile(INTENSITY, (frames, 1))
        group["intensity_errors"] = np.full((frames, Q.size), 3.0)
    iq = load_iq(path, wavelength=0.251)
    np.testing.assert_allclose(iq.q, Q)
    np.testing.assert_allclose(iq.sigma, sigma)


def test_errors_of_zero_are_said_to_be_none(write: Write) -> None:
    iq = load_iq(write("# q_A^-1 I sigma\n" + body(Q, INTENSITY, 0 * Q), "a.chi"))
    assert iq.sigma is None
    assert "the errors are all zero, and were left out" in [step.name for step in iq.history]


def test_axis_by_the_user(write: Write) -> None:
    path = write(body(10 * Q, INTENSITY), "a.xy")
    np.testing.assert_allclose(load_iq(path, axis="q_nm").q, Q)


X3 = (
    "[DEFAULT]\nversion = pdfgetx3-1.1\ncomposition = {c}\nqmaxinst = 25.0\nqmin = 0.8\nqmax = 22\n"
    "#### start data\n#S 1\n"
)
X2 = (
    "History written: Mon\n####### Get_XPDF #######\nsmoothdata_isa=0  smoothqmin=12.0\n"
    "## S(q)  qmin=1.000000    qmax=30.000000    qgrid=0.000000\n"
    "optqmin=20.0  optqmax=38.0\n##### start data\n"
    "#S 1    G(r)\n#L r(A)    G(r)    d_r    d_Gr\n"
)


def test_pdfgetx3(write: Write) -> None:
    text = X3.format(c="Na Ta Cl6") + "#L r($\\AA$)  G($\\AA^{-2}$)\n" + body(R, G)
    gr = load_gr(write(text, "a.gr"))
    np.testing.assert_allclose(gr.r, R)
    np.testing.assert_allclose(gr.g, G, atol=1e-11)
    assert (gr.q_min, gr.q_max, gr.q_damp, gr.sigma) == (0.8, 22.0, None, None)
    assert gr.composition == {"Na": 1.0, "Ta": 1.0, "Cl": 6.0}


def test_pdfgetx2(write: Write) -> None:
    gr = load_gr(write(X2 + body(R, G, -0.01 * R, 0.1 + 0 * R), "a.gr"))
    assert (gr.q_min, gr.q_max) == (1.0, 30.0)
    assert gr.sigma is not None
    np.testing.assert_allclose(gr.sigma, 0.1)


def test_pdfgetn_and_bare_columns(write: Write) -> None:
    text = "# ## Damp     Qmin=0.87     Qmax=27.0     startDampQ=27.0\n##### start data\n#L r G(r) dr dG(r)\n"
    gr = load_gr(write(text + body(R, G, 0 * R, 0 * R), "a.gr"))
    assert (gr.q_min, gr.q_max, gr.sigma) == (0.87, 27.0, None)
    bare = load_gr(write(body(R, G, 0 * R, 0.2 + 0 * R), "b.txt"))
    assert bare.sigma is not None
    three = load_gr(write(body(R, G, 0.2 + 0 * R), "c.gr"))
    assert three.sigma is None
    assert any("left out" in done.name for done in three.history)


def test_odd_composition_is_told(write: Write) -> None:
    gr = load_gr(write(X3.format(c="Na(TaCl6)") + "#L r G\n" + body(R, G), "a.gr"))
    assert gr.composition == {}
    assert any(done.name == "warning: the composition in the header is not a formula" for done in gr.history)


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        (body(R**2, G), "r is not uniform: from 0.0001 to 0.0004", "line 2"),
        (body(R[::-1], G), "r is not uniform|the first r", ""),
        (body(R - 1, G), "the first r is -0.99", "line 1"),
        (body(R[:5], G[:5]), "there are only 5 points", ""),
        ("#L k chi sigma\n" + body(R, G, G), r"the columns \['k', 'chi', 'sigma'\] are not known", ""),
        (body(R, G) + "beam lost\n", "'beam' stands where a number should", "line 1001, column 1"),
        (body(R, G) + "10.01 nan\n", "'nan' is not a finite number", "line 1001, column 2"),
    ],
)
def test_bad_gr(write: Write, text: str, message: str, place: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load_gr(write(text, "a.gr"))
    assert "a.gr" in caught.value.where
    assert place in caught.value.where
