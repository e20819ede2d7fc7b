"""What can be wrong with a project: one message, exit status 2, and the last good results untouched."""

import re

import pytest

from shortrange.cli.app import run_app
from shortrange.config import read_project
from shortrange.errors import DataError
from shortrange.run import run_project


def replace(folder, name, old, new, *, count=1):
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, count))


def edit_row(folder, name, row, change):
    """Change one data row of a text file; returns its line number."""
    path = folder / name
    lines = path.read_text().splitlines()
    data = [i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")]
    lines[data[row]] = change(lines[data[row]])
    path.write_text("\n".join(lines) + "\n")
    return data[row] + 1


def reorder(folder, name, order):
    path = folder / name
    lines = path.read_text().splitlines()
    head = [line for line in lines if line.startswith("#")]
    path.write_text("\n".join([*head, *order([x for x in lines if not x.startswith("#")])]) + "\n")


def doubled(path):
    """Two atoms that follow each other, and the second of them twice."""
    first, second = path.read_text().splitlines()[2:4]
    return f"{first}\n{second}\n", f"{second}\n{second}\n"


SCAN = "ta_l3_002.xdi"
CASES = {
    "a scan is missing": (
        lambda p: replace(p, "project.toml", "ta_l3_*.xdi", "ta_l4_*.xdi"),
        r"scans: .*matches no file",
    ),
    "a model is missing": (lambda p: (p / "models/corner.extxyz").unlink(), r"corner.extxyz' names no file"),
    "a scan is empty": (lambda p: (p / SCAN).write_text(""), rf"empty[\s\S]*{SCAN}"),
    "a text row among numbers": (
        lambda p: edit_row(p, SCAN, 40, lambda _: "beam lost at 12:31"),
        rf"{SCAN}, line \d+",
    ),
    "a NaN": (
        lambda p: edit_row(p, SCAN, 40, lambda x: re.sub(r"\S+$", "nan", x)),
        rf"nan[\s\S]*{SCAN}, line \d+, column",
    ),
    "comma decimals": (lambda p: reorder(p, SCAN, lambda x: [y.replace(".", ",") for y in x]), r"comma"),
    "every row twice": (
        lambda p: reorder(p, SCAN, lambda x: [z for y in x for z in (y, y)]),
        rf"{SCAN}, lines? \d+",
    ),
    "shuffled rows": (
        lambda p: reorder(p, SCAN, lambda x: [*x[::2], *x[1::2]]),
        rf"{SCAN}, lines? \d+",
    ),
    "an edge that is not in the scan": (
        lambda p: replace(p, "project.toml", 'edge = "L3"', 'edge = "L2"'),
        r"states edge 'L3' where 'L2' was asked for",
    ),
    "an element that does not exist": (
        lambda p: replace(p, "project.toml", 'element = "Ta"', 'element = "Tq"'),
        r"element: .*is no chemical element",
    ),
    "an unknown key": (
        lambda p: replace(p, "project.toml", "k_range", "k_rnage"),
        r"k_rnage.*did you mean 'k_range'",
    ),
    "an unknown technique": (
        lambda p: replace(p, "project.toml", '"total-scattering"', '"total scattering"'),
        r"did you mean 'total-scattering'",
    ),
    "a broken TOML": (lambda p: replace(p, "project.toml", "[sample]", "[sample"), r"line \d+"),
    "a trajectory without the absorber": (
        lambda p: replace(p, "models/corner.extxyz", "\nTa ", "\nNb ", count=10**6),
        r"has no Ta, the absorber of 'Ta L3'",
    ),
    "a truncated trajectory": (
        lambda p: (p / "models/corner.extxyz").write_text((p / "models/corner.extxyz").read_text()[:5000]),
        r"corner.extxyz",
    ),
    "a pattern with a NaN": (
        lambda p: edit_row(p, "sample_iq.chi", 99, lambda x: re.sub(r"\S+$", "nan", x)),
        r"sample_iq.chi, line \d+",
    ),
    "a q_range beyond the pattern": (
        lambda p: replace(p, "project.toml", "[0.8, 23.0]", "[0.8, 33.0]"),
        r"33",
    ),
    "a q_range upside down": (
        lambda p: replace(p, "project.toml", "[0.8, 23.0]", "[23.0, 0.8]"),
        r"q_range: .*needs 0 <= low < high",
    ),
    "a k_range beyond the scans": (
        lambda p: replace(p, "project.toml", "[3.0, 12.5]", "[3.0, 22.5]"),
        r"k_range 3 to 22.5",
    ),
    "a k_range of nothing": (
        lambda p: replace(p, "project.toml", "[3.0, 12.5]", "[5.0, 5.0]"),
        r"k_range: .*needs 0 <= low < high",
    ),
    "a k_range that holds hardly a wave": (
        lambda p: replace(p, "project.toml", "[3.0, 12.5]", "[5.0, 6.5]"),
        r"\d independent points for 4 free parameters",
    ),
    "an r_range that holds hardly a peak": (
        lambda p: replace(p, "project.toml", "[0.8, 23.0]", "[0.8, 23.0]\nr_range = [2.0, 2.5]"),
        r"\d independent points for 4 free parameters[\s\S]*r_range",
    ),
    "an r_range of nothing": (
        lambda p: replace(p, "project.toml", "[0.8, 23.0]", "[0.8, 23.0]\nr_range = [4.0, 4.0]"),
        r"r_range: .*needs 0 <= low < high",
    ),
    "a composition that is none": (
        lambda p: replace(p, "project.toml", '"NaTaCl5S0.5"', '"NaTaCl5(S)0.5"'),
        r"composition: .*is no formula",
    ),
    "a density of nothing": (
        lambda p: replace(p, "project.toml", "number_density = 0.0335", "number_density = 33.5"),
        r"33\.5",
    ),
    "a background that is the pattern": (
        lambda p: replace(p, "project.toml", "capillary_iq.chi", "sample_iq.chi"),
        r"measurement 'PDF'[\s\S]*the background is the pattern itself",
    ),
    "two atoms on one place": (
        lambda p: replace(p, "models/corner.extxyz", *doubled(p / "models/corner.extxyz")),
        r"model 'corner-sharing mu-S'[\s\S]*only 0\.00 angstrom apart[\s\S]*models/corner\.extxyz",
    ),
    "a cell in nanometres": (
        lambda p: replace(
            p, "models/corner.extxyz", "15.3 0 0 0 15.3 0 0 0 15.3", "1.53 0 0 0 1.53 0 0 0 1.53", count=99
        ),
        r"angstrom apart[\s\S]*cell in angstrom",
    ),
    "a model of nothing": (
        lambda p: replace(p, "project.toml", 'structures = "models/corner.extxyz"', ""),
        r"one fault:\s+\[model 'corner-sharing mu-S'\] structures: is missing; name a file, or a motif",
    ),
    "a model of two things": (
        lambda p: replace(
            p, "project.toml", 'structures = "models/corner', 'motif = "corner"\nstructures = "models/corner'
        ),
        r"one fault:\s+.*give either structures \(a file\) or motif, not both",
    ),
    "a title of nothing": (
        lambda p: (p / "project.toml").write_text(
            re.sub("title = .*", 'title = ""', (p / "project.toml").read_text(), count=1)
        ),
        r"title: '' is empty",
    ),
    "an edge in small letters": (
        lambda p: replace(p, "project.toml", 'edge = "L3"', 'edge = "l3"'),
        r"'l3' is no edge of Ta; did you mean 'L3'",
    ),
    "an element in small letters": (
        lambda p: replace(p, "project.toml", 'element = "Ta"', 'element = "ta"'),
        r"'ta' is no chemical element; did you mean 'Ta'",
    ),
    "yes instead of true": (
        lambda p: replace(p, "project.toml", "[sample]", '[verdict]\nnested = "yes"\n\n[sample]'),
        r"nested: 'yes' must be true or false",
    ),
    "a path of Windows": (
        lambda p: replace(p, "project.toml", "models/corner", "models\\corner"),
        r"line \d+[\s\S]*paths are written with /",
    ),
    "the parameters of another program": (
        lambda p: replace(p, "project.toml", "[sample]", "[parameters]\namp = 1\n\n[sample]"),
        r"run `shortrange fit-paths`",
    ),
    "models of one name": (
        lambda p: replace(p, "project.toml", '"edge-sharing (mu-S)2"', '"corner-sharing mu-S"'),
        r"corner-sharing mu-S",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_one_message(example, tmp_path, capsys, name):
    damage, message = CASES[name]
    damage(example)
    results = tmp_path / "results"
    results.mkdir()
    (results / "verdict.json").write_text("the last good one")
    (results / ".shortrange.json").write_text('{"kind": "run"}')
    assert run_app(["run", str(example / "project.toml"), "--out", str(results)]) == 2
    said = capsys.readouterr()
    assert re.search(message, said.err), said.err
    assert "where:" in said.err
    assert "do:" in said.err
    assert "Traceback" not in said.out + said.err
    assert (results / "verdict.json").read_text() == "the last good one"


def test_data_that_cannot_be_reduced_are_told_before_anything_is_simulated(example):
    replace(example, "project.toml", "[0.8, 23.0]", "[0.8, 33.0]")
    said = []
    with pytest.raises(DataError, match="33"):
        run_project(read_project(example / "project.toml"), progress=said.append)
    assert said == ["load", "reduce Ta L3", "reduce PDF"]


def test_check_names_all_faults_at_once(example, capsys):
    (example / SCAN).write_text("")
    edit_row(example, "sample_iq.chi", 99, lambda x: re.sub(r"\S+$", "nan", x))
    replace(example, "models/corner.extxyz", "\nTa ", "\nNb ", count=10**6)
    replace(example, "project.toml", "[3.0, 12.5]", "[3.0, 22.5]")
    assert run_app(["check", str(example / "project.toml")]) == 2
    said = capsys.readouterr()
    for part in (SCAN, "sample_iq.chi", "has no Ta", "k_range 3 to 22.5"):
        assert part in said.out + said.err


def test_a_project_saved_by_an_editor_of_windows(example, capsys):
    text = (example / "project.toml").read_bytes().replace(b"\n", b"\r\n")
    (example / "project.toml").write_bytes(b"\xef\xbb\xbf" + text)
    assert run_app(["check", str(example / "project.toml")]) == 0
    assert "4 scans" in capsys.readouterr().out


def test_data_that_are_named_twice(example, capsys):
    """A copied scan is no further repeat, and part of a model no other model."""
    (example / "ta_l3_009.xdi").write_bytes((example / SCAN).read_bytes())
    file = example / "project.toml"
    text = file.read_text()
    second = text[text.index('[[measurement]]\nname = "PDF"') : text.index("[[model]]")].replace(
        '"PDF"', '"again"'
    )
    part = '\n[[model]]\nname = "part"\nstructures = "models/corner.extxyz"\nframes = "2:9"\n'
    file.write_text(text.replace("[[model]]", f"{second}\n[[model]]", 1) + part)
    assert run_app(["check", str(file)]) == 0
    said = capsys.readouterr().out
    assert f"ta_l3_009.xdi is a copy of {SCAN}: it is no second measurement" in said
    assert "sample_iq.chi is that of measurement 'PDF' too" in said
    assert "holds the same snapshots as 'corner-sharing mu-S'" in said


def test_a_box_whose_cell_was_lost(example, capsys):
    model = example / "models" / "corner.extxyz"
    bare = re.sub(r'Lattice="[^"]*" ', "", model.read_text()).replace('pbc="T T T"', 'pbc="F F F"')
    model.write_text(bare)
    run_app(["check", str(example / "project.toml")])
    said = capsys.readouterr().out
    assert re.search(r"model 'corner-sharing mu-S' +has no cell: it is compared as a molecule", said)


def test_a_model_of_another_density(example, capsys):
    file = example / "project.toml"
    replace(example, "project.toml", "number_density = 0.0335", "number_density = 0.045")
    run_app(["check", str(file)])
    assert "another density than the sample: 0.0335 instead of 0.045 atoms" in capsys.readouterr().out


def test_check_of_a_good_project_says_what_it_found(example, capsys):
    assert run_app(["check", str(example / "project.toml")]) == 0
    said = capsys.readouterr().out
    assert "4 scans" in said
    assert "20 snapshots of 120 atoms" in said
    assert "another composition than the sample" in said
