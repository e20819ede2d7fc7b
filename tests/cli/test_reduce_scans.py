"""``shortrange reduce`` on what beamlines give: unnamed edges, damaged files, bad scans, other channels."""

import json

import numpy as np
import pytest

from shortrange.cli.app import run_app
from white_lines import E0, scan

SHAPE = {"splitting": 2.8, "ratio": 1.1, "gamma": 1.8, "sigma": 0.5}


def table(seed=0, shift=0.0, **changes):
    made = scan(seed, **{**SHAPE, **changes})
    return np.column_stack([made.energy + shift, made.columns["i0"], made.columns["it"]])


def write(path, values, titles="energy i0 it"):
    np.savetxt(path, values, fmt="%.9g", header=titles)
    return str(path)


def reduced(tmp_path, *words):
    out = tmp_path / "out"
    assert run_app(["reduce", *words, "--out", str(out), "--no-figures"]) == 0
    return json.loads((out / "summary.json").read_text(encoding="utf-8"))


def refused(tmp_path, capsys, *words):
    assert run_app(["reduce", *words, "--out", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["--edge", "Ta L3"], ["--edge", "ta-l3"], ["--element", "Ta", "--edge", "L3"], ["--element", "ta"]],
)
def test_ways_to_name_an_edge(tmp_path, words):
    record = reduced(tmp_path, write(tmp_path / "a.dat", table()), *words)
    assert (record["element"], record["edge"]) == ("Ta", "L3")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--edge", "Ta L9"], "no edge 'L9'"),
        (["--edge", "Tx L3"], "not a chemical element"),
        (["--edge", "the L3 edge"], "cannot read the edge"),
        (["--element", "W", "--edge", "Ta L3"], "contradict"),
        (["--edge", "Fe K"], "does not lie in the scan"),
    ],
)
def test_edges_that_cannot_be(tmp_path, capsys, words, message):
    assert message in refused(tmp_path, capsys, write(tmp_path / "a.dat", table()), *words)


def test_an_edge_that_may_be_two_is_asked_for(tmp_path, capsys):
    """K of selenium and L3 of thallium are tabulated at the same energy."""
    values = table(shift=12658.0 - E0)
    message = refused(tmp_path, capsys, write(tmp_path / "a.dat", values))
    assert "Se K" in message
    assert "Tl L3" in message
    assert '--edge "Ta L3"' in message


def test_a_damaged_file_is_reported_beside_the_others(tmp_path):
    names = [write(tmp_path / f"{i}.dat", table(i)) for i in range(3)]
    lines = (tmp_path / "1.dat").read_text(encoding="utf-8").splitlines()
    lines[40] = "nan nan nan"
    (tmp_path / "1.dat").write_text("\n".join(lines), encoding="utf-8")
    record = reduced(tmp_path, *names, "--edge", "Ta L3")
    assert [each["used"] for each in record["scans"]] == [True, False, True]
    assert [each["file"] for each in record["scans"]] == names
    assert "not a finite number (line 41" in record["scans"][1]["reason"]
    assert record["scans"][1]["energy_shift"] is None
    assert any("1.dat left out" in warning for warning in record["warnings"])


def test_a_file_that_is_not_there_is_an_error(tmp_path, capsys):
    name = write(tmp_path / "0.dat", table())
    assert "there is no such file" in refused(tmp_path, capsys, name, str(tmp_path / "1.dat"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda v: np.where(np.arange(v.size) > v.size // 2, 1.06 * v, v), "differs from the others"),
        (lambda v: v + 0.05 * v.max(), "differs from the others"),
        (lambda v: np.where(abs(np.arange(v.size) - v.size // 2) < 6, 0.3 * v, v), "no edge near"),
        (lambda v: v[: v.size // 2], "well inside the scan"),
    ],
    ids=["jump", "dark current", "beam lost", "cut"],
)
def test_bad_scans(tmp_path, change, reason):
    """One of four is spoilt: it is named, and the others are as if it were not there."""
    names = [write(tmp_path / f"{i}.dat", table(i, shift=0.3 * i)) for i in range(3)]
    good = reduced(tmp_path, *names, "--edge", "Ta L3")
    values = table(7)
    it = change(values[:, 2])
    bad = write(tmp_path / "bad.dat", np.column_stack([values[: it.size, :2], it]))
    record = reduced(tmp_path, *names, bad, "--edge", "Ta L3")
    assert [each["used"] for each in record["scans"]] == [True, True, True, False]
    assert reason in record["scans"][3]["reason"]
    assert record["e0"] == good["e0"]
    assert record["edge_step"] == good["edge_step"]
    shifts = np.array([each["energy_shift"] for each in record["scans"][:3]])
    sigmas = np.array([each["sigma_energy_shift"] for each in record["scans"][:3]])
    assert np.all(np.abs(shifts - (0.3 - 0.3 * np.arange(3))) < 4 * sigmas)
    assert sigmas.max() < 0.02


def test_a_noisier_scan_is_used(tmp_path):
    """Its weight is small, but nothing is wrong with it."""
    names = [write(tmp_path / f"{i}.dat", table(i)) for i in range(3)]
    noisy = table(8)
    noisy[:, 2] *= np.exp(0.02 * np.random.default_rng(0).normal(size=len(noisy)))
    record = reduced(tmp_path, *names, write(tmp_path / "noisy.dat", noisy), "--edge", "Ta L3")
    assert all(each["used"] for each in record["scans"])
    sigmas = [each["sigma_energy_shift"] for each in record["scans"]]
    assert sigmas[3] > 2 * max(sigmas[:3])


def test_repairs_of_every_scan_are_told(tmp_path):
    """Also of those after the first."""
    names = [write(tmp_path / f"{i}.dat", table(i)[:: 1 if i != 1 else -1]) for i in range(3)]
    record = reduced(tmp_path, *names, "--edge", "Ta L3")
    told = [warning for warning in record["warnings"] if "downwards" in warning]
    assert len(told) == 1
    assert "1.dat" in told[0]


DEAD_TIMES = {
    "fraction": lambda dead: [("dt{n}", dead)],
    "factor": lambda dead: [("dtfactor{n}", 1 / (1 - dead))],
    "rates": lambda dead: [("icr{n}", np.full(dead.size, 1e4)), ("ocr{n}", 1e4 * (1 - dead))],
}


@pytest.mark.parametrize("kind", sorted(DEAD_TIMES))
def test_fluorescence_of_several_channels(tmp_path, kind):
    """Corrected for dead time, the sum is that of channels without any."""
    values = table(0)
    mu = np.log(values[:, 1] / values[:, 2])
    channels = [values[:, 0], values[:, 1]]
    titles = ["energy", "i0"]
    for n, gain in enumerate((0.1, 0.2, 0.15), start=1):
        dead = 0.3 * gain * mu / mu.max()
        extra = DEAD_TIMES[kind](dead)
        channels += [gain * mu * values[:, 1] * (1 - dead), *(column for _, column in extra)]
        titles += [f"fluo{n}", *(title.format(n=n) for title, _ in extra)]
    name = write(tmp_path / "f.dat", np.column_stack(channels), " ".join(titles))
    record = reduced(tmp_path, name, "--edge", "Ta L3")
    assert record["mode"] == "fluorescence"
    assert not any("dead time" in warning for warning in record["warnings"])
    plain = reduced(tmp_path, write(tmp_path / "t.dat", values), "--edge", "Ta L3")
    assert record["edge_step"] == pytest.approx(0.45 * plain["edge_step"], rel=1e-4)


def test_dead_time_in_percent_is_no_fraction(tmp_path, capsys):
    values = table(0)
    mu = np.log(values[:, 1] / values[:, 2])
    columns = [values[:, 0], values[:, 1], mu * values[:, 1], 12 + 0 * mu]
    name = write(tmp_path / "f.dat", np.column_stack(columns), "energy i0 fluo1 dt1")
    assert "dead time of 'fluo1' is wrong" in refused(tmp_path, capsys, name, "--edge", "Ta L3")


def test_mode_is_the_one_that_shows_the_edge(tmp_path):
    """The sample stopped the beam: transmission is noise, fluorescence is not."""
    values = table(0)
    mu = np.log(values[:, 1] / values[:, 2])
    dark = np.abs(np.random.default_rng(0).normal(size=mu.size)) + 0.1
    all_channels = np.column_stack([values[:, :2], dark, mu * values[:, 1]])
    record = reduced(tmp_path, write(tmp_path / "a.dat", all_channels, "energy i0 it if"), "--edge", "Ta L3")
    assert record["mode"] == "fluorescence"
    assert any("transmission shows the edge badly" in warning for warning in record["warnings"])


def test_negative_amplifiers_and_a_yield_without_i0(tmp_path):
    values = table(0)
    turned = values * [1, -1, -1]
    record = reduced(tmp_path, write(tmp_path / "a.dat", turned), "--edge", "Ta L3")
    plain = reduced(tmp_path, write(tmp_path / "b.dat", values), "--edge", "Ta L3")
    assert record["edge_step"] == pytest.approx(plain["edge_step"], rel=1e-6)
    assert any("negative throughout" in warning for warning in record["warnings"])
    mu = np.log(values[:, 1] / values[:, 2])
    record = reduced(
        tmp_path,
        write(tmp_path / "c.dat", np.column_stack([values[:, 0], mu]), "energy tey"),
        "--edge",
        "Ta L3",
    )
    assert record["mode"] == "tey"
    assert any("no incident intensity" in warning for warning in record["warnings"])


def side_by_side(path, names):
    values = table(0)
    mu = np.log(values[:, 1] / values[:, 2])
    rows = [",".join(f"energy {name},{name}" for name in names)]
    rows += [",".join(f"{e:.4f},{m:.8f}" for _ in names) for e, m in zip(values[:, 0], mu, strict=True)]
    path.write_text("\n".join(rows), encoding="utf-8")
    return str(path)


def test_spectra_of_one_file_are_not_mixed(tmp_path, capsys):
    name = side_by_side(tmp_path / "a.csv", ["NiSO4", "HEPES"])
    message = refused(tmp_path, capsys, name, "--edge", "Ta L3")
    assert "'NiSO4', 'HEPES'" in message
    assert "--select" in message
    for select in ("HEPES", "hep*", "2"):
        record = reduced(tmp_path, name, "--edge", "Ta L3", "--select", select)
        assert len(record["scans"]) == 1
        assert "HEPES" in record["scans"][0]["file"]
    assert "no scan is called 'CHES'" in refused_again(capsys, tmp_path, name)


def refused_again(capsys, tmp_path, name):
    assert run_app(["reduce", name, "--select", "CHES", "--out", str(tmp_path / "o")]) == 2
    return capsys.readouterr().err


def test_calibration_by_the_reference_channel(tmp_path):
    """The foil of the reference stands 3 eV too high; the sample is moved with it."""
    names = []
    for i in range(3):
        values, foil = table(i, shift=3.0 + 0.4 * i), table(20 + i)
        absorbed = np.log(foil[:, 1] / foil[:, 2])
        names.append(
            write(
                tmp_path / f"{i}.dat",
                np.column_stack([values, values[:, 2] * np.exp(-absorbed)]),
                "energy i0 it ir",
            )
        )
    before = reduced(tmp_path, *names, "--edge", "Ta L3")
    after = reduced(tmp_path, *names, "--edge", "Ta L3", "--calibrate", "reference")
    shift, sigma = after["calibration"]["shift"], after["calibration"]["sigma"]
    assert after["calibration"]["standard"] == "Ta foil"
    assert after["e0"] - before["e0"] == pytest.approx(shift, abs=1e-6)
    # The same spectrum stands in both channels: its own inflection goes to the energy of the foil.
    assert after["e0"] == pytest.approx(9881.0, abs=max(0.3, 4 * sigma))


def test_calibration_by_a_whole_spectrum(tmp_path):
    sample = write(tmp_path / "s.dat", table(0, shift=2.5))
    measured = write(tmp_path / "m.dat", table(1, shift=2.5, splitting=2.4))
    known = write(tmp_path / "known.dat", table(2, splitting=2.4))
    record = reduced(tmp_path, sample, "--edge", "Ta L3", "--calibrate", measured, "--standard", known)[
        "calibration"
    ]
    assert record["feature"] == "whole spectrum"
    assert record["shift"] == pytest.approx(-2.5, abs=4 * record["sigma"])
    assert record["sigma"] < 0.02


def test_no_reference_to_calibrate_by(tmp_path, capsys):
    name = write(tmp_path / "s.dat", table(0))
    message = refused(tmp_path, capsys, name, "--edge", "Ta L3", "--calibrate", "reference")
    assert "no reference channel" in message


def test_a_continuous_scan_is_rebinned(tmp_path):
    values = table(0)
    fine = np.linspace(values[0, 0], values[-1, 0], 6000)
    dense = np.column_stack([fine, *(np.interp(fine, values[:, 0], values[:, i]) for i in (1, 2))])
    name = write(tmp_path / "quick.dat", dense)
    record = reduced(tmp_path, name, "--edge", "Ta L3", "--rebin")
    rows = (tmp_path / "out" / "mu.csv").read_text(encoding="utf-8").count("\n") - 1
    assert 200 < rows < 600
    assert record["e0"] == pytest.approx(reduced(tmp_path, name, "--edge", "Ta L3")["e0"], abs=0.1)


def test_a_lobe_of_the_wavelet_map(tmp_path):
    """One shell at 2.4 angstrom, simulated: the lobe is there, and its strength has an error."""
    from shortrange.units import energy_from_k, k_from_energy

    k = np.arange(2.0, 13.0, 0.05)
    energy = np.concatenate([np.arange(E0 - 150, E0 + 15, 1.0), energy_from_k(k, E0)])
    wave = k_from_energy(energy, E0)
    # k^2 exp(-0.028 k^2) is largest at k = 6.
    chi = 0.6 * np.sin(4.8 * wave) * np.exp(-0.028 * wave**2) * (1 - np.exp(-((wave / 3) ** 4)))
    step = 0.5 + np.arctan((energy - E0) / 2.0) / np.pi
    names = []
    for i in range(3):
        noise = 1e-3 * np.random.default_rng(i).normal(size=energy.size)
        values = np.column_stack([energy, 1e5 + 0 * energy, 1e5 * np.exp(-step * (1 + chi) - noise)])
        names.append(write(tmp_path / f"{i}.dat", values))
    found = reduced(tmp_path, *names, "--edge", "Ta L3", "--lobe", "6", "2.4")["lobe"]
    assert found["r"] == pytest.approx(2.4, abs=0.08)
    # The window ends at k = 3, and the wavelet is 4 1/angstrom wide: the maximum moves up.
    assert found["k"] == pytest.approx(6.8, abs=1.0)
    assert 0 < found["sigma_strength"] < 0.05 * found["strength"]
    nothing = reduced(tmp_path, *names, "--edge", "Ta L3", "--lobe", "6", "8")
    assert nothing["lobe"]["strength"] is None
    assert any("no lobe" in warning for warning in nothing["warnings"])
