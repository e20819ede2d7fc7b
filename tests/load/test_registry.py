"""Recognition, the registry, plug-ins, and profiles that a user adds."""

from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from shortrange.errors import DataError
from shortrange.load import (
    LOADERS,
    Loader,
    load,
    load_gr,
    load_iq,
    load_scans,
    load_trajectory,
    register,
    registry,
)
from shortrange.load.roles import PROFILE_FOLDER, Profile, assign, parse_profile, profiles
from shortrange.quantities import GR

Write = Callable[..., Path]


@pytest.fixture
def registered() -> Iterator[None]:
    """Leave the registry as it was found."""
    before = dict(LOADERS)
    yield
    LOADERS.clear()
    LOADERS.update(before)
    registry._add_plugins.cache_clear()


def read_own(path: Path) -> GR:
    return GR(r=np.arange(20.0), g=np.arange(20.0), source=str(path))


OWN = Loader("own", "gr", (".own",), lambda head: head.startswith(b"OWN"), read_own)


def test_did_you_mean(write: Write) -> None:
    with pytest.raises(DataError, match="unknown format 'xdii'") as caught:
        load(write("x"), format="xdii")
    assert caught.value.do == "did you mean 'xdi'?"
    with pytest.raises(DataError, match="unknown kind 'xass'") as caught:
        load(write("x"), kind="xass")
    assert caught.value.do == "did you mean 'xas'?"


def test_format_of_another_kind(write: Write) -> None:
    with pytest.raises(DataError, match=r"format 'pdfgetx' reads a pair distribution function") as caught:
        load_scans(write("x"), format="pdfgetx")
    known = ["athena", "columns", "epics", "hdf5", "pf9809", "side_by_side", "spec", "ssrl", "xdi"]
    assert caught.value.do == f"choose from {known}"


def test_file_of_another_kind(sample: tuple[str, str, Path]) -> None:
    name, kind, path = sample
    doors = {"xas": load_scans, "iq": load_iq, "gr": load_gr, "structure": load_trajectory}
    if name == "ase":
        return
    for other, door in doors.items():
        if other != kind:
            with pytest.raises(DataError, match="this file holds") as caught:
                door(path)
            assert doors[kind].__name__ in caught.value.do


def test_no_loader(write: Write) -> None:
    with pytest.raises(DataError, match="no loader recognises this file") as caught:
        load(write("1 2\n3 4\n", "a.dat"))
    assert "'xdi'" in caught.value.do


@pytest.mark.usefixtures("registered")
def test_several_loaders(write: Write) -> None:
    register(Loader("other", "gr", (".own",), OWN.sniff, read_own))
    register(OWN)
    with pytest.raises(DataError, match=r"several loaders recognise this file: \['other', 'own'\]"):
        load(write("OWN", "a.own"))
    assert isinstance(load(write("OWN", "a.own"), format="own"), GR)


@pytest.mark.usefixtures("registered")
def test_its_suffix_decides_among_several_loaders(write: Write) -> None:
    register(Loader("other", "gr", (".other",), OWN.sniff, read_own))
    register(OWN)
    assert registry.find_loader(write("OWN", "a.own")) is OWN
    assert registry.find_loader(write("OWN", "a.other")).name == "other"


@pytest.mark.usefixtures("registered")
def test_register_twice() -> None:
    register(OWN)
    register(OWN)  # the same object again does no harm
    with pytest.raises(ValueError, match="'own' is registered twice"):
        register(Loader("own", "gr", (), OWN.sniff, read_own))
    with pytest.raises(ValueError, match="unknown kind"):
        register(Loader("odd", "photo", (), OWN.sniff, read_own))


@pytest.mark.usefixtures("registered")
def test_plug_in(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    registry._add_plugins.cache_clear()
    point = EntryPoint("own", "own_package:OWN", registry.ENTRY_POINTS)
    monkeypatch.setattr(EntryPoint, "load", lambda self: OWN)
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [point] if group == "shortrange.loaders" else []
    )
    assert load_gr(write("OWN 1", "a.dat")).r.size == 20


@pytest.mark.usefixtures("registered")
def test_broken_plug_in(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    registry._add_plugins.cache_clear()
    point = EntryPoint("own", "no_such_package_here:OWN", registry.ENTRY_POINTS)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    with pytest.raises(DataError, match="the loader 'own' of another package does not work"):
        load(write("x"))


@pytest.mark.usefixtures("registered")
def test_a_reader_that_fails_in_its_own_words(write: Write) -> None:
    def read(path: Path) -> GR:
        raise IndexError("list index out of range")

    register(Loader("own", "gr", (".own",), OWN.sniff, read))
    with pytest.raises(DataError, match="cannot be read as own: IndexError: list index out of range"):
        load(write("OWN", "a.own"))


PROFILE = """
name = "Home spectrometer"
[recognise]
columns = ["Mono", "Ch1"]
[energy]
column = "Mono"
unit = "keV"
[roles]
i0 = ["Ch1"]
it = "Ch2"
"""


def test_profile_of_the_user(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "\n".join(f"{9.7 + 0.01 * i:.3f} {100 + i} {50 + i}" for i in range(30))
    path = write("# mono CH1 ch2\n" + body)
    with pytest.raises(DataError, match="is known as the energy") as caught:
        load_scans(path)
    assert PROFILE_FOLDER in caught.value.do
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "home.toml").write_text(PROFILE)
    monkeypatch.setenv(PROFILE_FOLDER, str(tmp_path / "profiles"))
    (scan,) = load_scans(path, element="Ta", edge="L3")
    assert scan.energy[0] == pytest.approx(9700.0)
    assert set(scan.columns) == {"i0", "it"}
    monkeypatch.setenv(PROFILE_FOLDER, str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="names no folder"):
        load_scans(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("i0 =", "io =", "unknown key 'io'"),
        ("[roles]", "[role]", "unknown key 'role'"),
        ('"keV"', '"kev"', "unknown unit 'kev'"),
        ("column =", "colum =", "unknown key 'colum'"),
        ("[energy]", "[energy", "not valid TOML"),
    ],
)
def test_faulty_profile(old: str, new: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        parse_profile(PROFILE.replace(old, new), source="home.toml")
    assert "home.toml" in caught.value.where


def test_shipped_profiles() -> None:
    names = [profile.name for profile in profiles()]
    assert names[-1] == "generic"
    assert "ESRF SNBL BM31 zapline" in names
    for profile in profiles():
        assert profile.energy
        assert profile.roles


def test_the_first_title_is_taken() -> None:
    profile = Profile(name="p", columns=(), header="", energy=("b", "a"), unit=None, roles={"i0": ("x", "y")})
    assert assign(["a", "b", "Y", "X"], profile) == (1, {"i0": 3})
    assert assign(["c"], profile) == (None, {})
    assert not profile.fits(["a", "b"], "")
