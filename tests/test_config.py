"""The project file: its contract, and every fault in plain words at once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortrange.config import TotalScatteringMeasurement, XasMeasurement, parse_frames, read_project
from shortrange.errors import ProjectError

CONTRACT = """
title = "Amorphous TaCl5-0.5Na2S: which bridge?"
[sample]
composition = "NaTaCl5S0.5"
number_density = 0.033            # atoms per cubic angstrom; optional
[[measurement]]
name = "Ta L3"
technique = "xas"
element = "Ta"
edge = "L3"
mode = "transmission"             # or "fluorescence", "tey"
scans = ["ta_l3_*.xdi"]           # raw repeats
k_range = [3.0, 12.5]             # optional
[[measurement]]
name = "PDF"
technique = "total-scattering"
pattern = "sample_iq.chi"
background = "capillary_iq.chi"
wavelength = 0.2510
q_range = [0.8, 22.0]
r_range = [1.9, 7.0]
[[model]]
name = "corner-sharing mu-S"
structures = "models/corner.extxyz"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    for name in (
        "ta_l3_002.xdi",
        "ta_l3_001.xdi",
        "sample_iq.chi",
        "capillary_iq.chi",
        "models/corner.extxyz",
        "s.gr",
    ):
        (tmp_path / name).write_text("x")
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "project.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(ProjectError) as caught:
        read_project(write(folder, text))
    assert caught.value.where == str(folder / "project.toml")
    assert "pydantic" not in str(caught.value)
    return [line.strip() for line in caught.value.what.splitlines()[1:]]


def test_contract(folder: Path) -> None:
    project = read_project(write(folder, CONTRACT))
    assert project.title.startswith("Amorphous")
    assert project.folder == folder
    assert project.path == folder / "project.toml"
    assert project.sample.atoms == {"Na": 1.0, "Ta": 1.0, "Cl": 5.0, "S": 0.5}
    xas, scattering = project.measurement
    assert isinstance(xas, XasMeasurement)
    assert (xas.element, xas.edge, xas.mode, xas.k_range, xas.k_weight) == (
        "Ta",
        "L3",
        "transmission",
        (3.0, 12.5),
        2.0,
    )
    assert xas.paths == (folder / "ta_l3_001.xdi", folder / "ta_l3_002.xdi")
    assert isinstance(scattering, TotalScatteringMeasurement)
    assert scattering.pattern_path == folder / "sample_iq.chi"
    assert scattering.background_path == folder / "capillary_iq.chi"
    assert scattering.pdf_path is None
    assert scattering.wavelength == 0.2510
    assert scattering.r_range == (1.9, 7.0)
    assert project.model[0].path == folder / "models/corner.extxyz"
    assert project.model[0].selection is None
    assert project.verdict.odds == 20.0


def test_optional_keys(folder: Path) -> None:
    text = CONTRACT.replace('structures = "', 'frames = "5::2"\nstructures = "') + "[verdict]\nodds = 5\n"
    text = text.replace("k_range =", "k_weight = 3\nr_range = [1.0, 3.0]\nk_range =").replace("0.033 ", "1 ")
    project = read_project(write(folder, text))
    assert project.model[0].selection == slice(5, None, 2)
    assert project.verdict.odds == 5.0
    assert project.measurement[0].k_weight == 3.0
    assert project.sample.number_density == 1.0


def test_a_reduced_pdf_needs_no_wavelength(folder: Path) -> None:
    head, tail = CONTRACT.split("pattern =")[0], CONTRACT[CONTRACT.index("[[model]]") :]
    project = read_project(write(folder, f'{head}pdf = "s.gr"\nqdamp = 0.03\n{tail}'))
    assert project.measurement[1].pdf_path == folder / "s.gr"


def test_the_prior_of_compton_scattering(folder: Path) -> None:
    project = read_project(write(folder, CONTRACT.replace("pattern =", "compton_width = 0.3\npattern =")))
    assert project.measurement[1].compton_width == 0.3
    assert read_project(write(folder, CONTRACT)).measurement[1].compton_width is None
    with pytest.raises(ProjectError, match="compton_width"):
        read_project(write(folder, CONTRACT.replace("pattern =", "compton_width = 30\npattern =")))


def test_models_are_frozen(folder: Path) -> None:
    project = read_project(write(folder, CONTRACT))
    with pytest.raises(ValueError, match="frozen"):
        project.title = "other"


def test_hidden_files_do_not_match(folder: Path) -> None:
    (folder / ".ta_l3_001.xdi").write_text("x")
    (folder / "sub").mkdir()
    (folder / "sub" / "._ta_l3_003.xdi").write_text("x")
    text = CONTRACT.replace('"ta_l3_*.xdi"', '"*ta_l3_*.xdi", "sub/../ta_l3_001.xdi", "**/ta_l3_002.xdi"')
    names = [path.name for path in read_project(write(folder, text)).measurement[0].paths]
    assert not [name for name in names if name.startswith(".")]


def test_absolute_patterns(folder: Path) -> None:
    text = CONTRACT.replace("ta_l3_*.xdi", f"{folder.as_posix()}/ta_l3_*.xdi")
    assert len(read_project(write(folder, text)).measurement[0].paths) == 2


# One row a slip: what is replaced, by what, and the fault line that must come of it.
SLIPS = [
    ('title = "Amorphous TaCl5-0.5Na2S: which bridge?"', "", "title: is missing"),
    ('title = "Amor', 'titel = "Amor', "[titel]: unknown key; did you mean 'title'?"),
    ("k_range =", "k_rang =", "[measurement 'Ta L3'] k_rang: unknown key; did you mean 'k_range'?"),
    ("[3.0, 12.5]", "[12.5, 3.0]", "[measurement 'Ta L3'] k_range: [12.5, 3.0] needs 0 <= low < high"),
    ("[3.0, 12.5]", "3.0", "[measurement 'Ta L3'] k_range: 3.0 must be two numbers, [low, high]"),
    ("[3.0, 12.5]", '[3, "12"]', "[measurement 'Ta L3'] k_range: [3, '12'] must be two numbers, [low, high]"),
    ("[3.0, 12.5]", "[3, inf]", "[measurement 'Ta L3'] k_range: [3, inf] needs 0 <= low < high"),
    ('"Ta"', '"Tx"', "[measurement 'Ta L3'] element: 'Tx' is no chemical element"),
    ('"Ta"', '"W"', "[measurement 'Ta L3'] element: 'W' is not in 'NaTaCl5S0.5'"),
    ('edge = "L3"', 'edge = "L9"', "[measurement 'Ta L3'] edge: 'L9' is no edge of Ta; choose from"),
    ('"transmission"', '"transmision"', "mode: 'transmision' is unknown; did you mean 'transmission'?"),
    ("ta_l3_*", "ta_k_*", "[measurement 'Ta L3'] scans: 'ta_k_*.xdi' matches no file in "),
    ('["ta_l3_*.xdi"]', '"ta_l3_*.xdi"', "scans: 'ta_l3_*.xdi' must be a list, in square brackets"),
    ('["ta_l3_*.xdi"]', "[]", "[measurement 'Ta L3'] scans: [] is empty"),
    ('"xas"', '"exafs"', "[measurement 'Ta L3'] technique: 'exafs' is unknown; "),
    (
        'technique = "xas"',
        "",
        "[measurement 'Ta L3'] technique: is missing; choose from ['total-scattering', 'xas']",
    ),
    ('name = "Ta L3"', "", "[measurement number 1] name: is missing"),
    ('name = "PDF"', 'name = "Ta L3"', "[measurement 'Ta L3'] name: 2 of them have it; give each its own"),
    ("sample_iq.chi", "sampel.chi", "[measurement 'PDF'] pattern: 'sampel.chi' names no file in "),
    ("wavelength = 0.2510", "", "[measurement 'PDF'] wavelength: is missing; "),
    ("wavelength = 0.2510", "wavelength = -1", "[measurement 'PDF'] wavelength: -1 must be greater than 0"),
    ("wavelength = 0.2510", "wavelength = true", "[measurement 'PDF'] wavelength: True must be a number"),
    ("wavelength = 0.2510", "wavelength = nan", "[measurement 'PDF'] wavelength: nan must be"),
    ("wavelength =", 'axis = "theta"\nwavelength =', "axis: 'theta' is unknown; did you mean '2theta'?"),
    (
        "wavelength =",
        'pdf = "s.gr"\nwavelength =',
        "pattern: give either pattern (raw I(Q)) or pdf (reduced G(r)), not",
    ),
    (
        '"NaTaCl5S0.5"',
        '"NaTaCl5S0.5x"',
        "[sample] composition: 'NaTaCl5S0.5x' is no formula: cannot read 'x'",
    ),
    ('composition = "NaTaCl5S0.5"', "", "[sample] composition: is missing"),
    ("[sample]", "[sampel]", "[sample]: is missing; it gives the composition"),
    ("number_density = 0.033", "number_density = 0", "[sample] number_density: 0 must be greater than 0"),
    ("[[model]]", "[[modell]]", "[[model]]: there is none; add at least one"),
    ("[[model]]", "[model]", "[model]: write [[model]], with two brackets"),
    (
        "corner.extxyz",
        "edge.extxyz",
        "[model 'corner-sharing mu-S'] structures: 'models/edge.extxyz' names no file",
    ),
    ("structures =", 'frames = "1-5"\nstructures =', "frames: '1-5' must be \"start:stop\""),
    ("structures =", 'frames = "::0"\nstructures =', "frames: '::0' needs a step of 1 or more"),
    ("[[model]]", "[verdict]\nodds = 0.5\n[[model]]", "[verdict] odds: 0.5 must be greater than 1"),
    ("[[model]]", "[verdict]\nods = 5\n[[model]]", "[verdict] ods: unknown key; did you mean 'odds'?"),
    ("[[model]]", "[boxcar]\nstep = 1\n[[model]]", "[boxcar]: unknown key; "),
]


@pytest.mark.parametrize(("old", "new", "fault"), SLIPS)
def test_one_slip_one_line(folder: Path, old: str, new: str, fault: str) -> None:
    assert old in CONTRACT
    found = faults(folder, CONTRACT.replace(old, new, 1))
    assert any(fault in line for line in found), found
    # A misspelt table or title is two faults: the unknown name, and the one that is then missing.
    assert len(found) <= 2


def test_all_faults_at_once(folder: Path) -> None:
    text = CONTRACT
    kept = [
        row for row in SLIPS if row[0] in ('edge = "L3"', '"transmission"', "sample_iq.chi", "corner.extxyz")
    ]
    for old, new, _ in kept:
        text = text.replace(old, new, 1)
    found = faults(folder, text)
    assert len(found) == len(kept) == 4
    for _, _, fault in kept:
        assert any(fault in line for line in found)


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ('title = "a"\nsample = = 3\n', "not valid TOML", "line 2"),
        ('title = "a\n', "not valid TOML", "line 1"),
        ("title = Ta\n", "not valid TOML", "line 1"),
        ("k = 3,0\n", "not valid TOML", "line 1"),
        ("", "the project file is empty", "project.toml"),
    ],
)
def test_not_toml(folder: Path, text: str, what: str, where: str) -> None:
    with pytest.raises(ProjectError, match=what) as caught:
        read_project(write(folder, text))
    assert where in caught.value.where


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no such project file"):
        read_project(tmp_path / "project.toml")
    with pytest.raises(ProjectError, match="this is a folder"):
        read_project(tmp_path)
    (tmp_path / "b.toml").write_bytes(b"title = '\xff\xfe'")
    with pytest.raises(ProjectError, match="cannot be read"):
        read_project(tmp_path / "b.toml")


parts = st.none() | st.integers(0, 1000)


@given(parts, parts, st.none() | st.integers(1, 50))
def test_frames_round_trip(start: int | None, stop: int | None, stride: int | None) -> None:
    text = ":".join("" if part is None else str(part) for part in (start, stop, stride))
    assert parse_frames(text) == slice(start, stop, stride)


@pytest.mark.parametrize("text", ["", "3", "a:b", "1:2:3:4", "1:2:-1", "1.5:3"])
def test_frames_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="start:stop"):
        parse_frames(text)


@pytest.mark.parametrize(("case", "scans"), [("P1", 4), ("P2", 2), ("P3", 3)])
def test_simulated_cases(shared_data: Path, case: str, scans: int) -> None:
    project = read_project(shared_data.parent / "cases" / case / "project.toml")
    assert len(project.measurement[0].paths) == scans
    assert all(model.path.is_file() for model in project.model)
