"""The cache of costly results: whole entries or none."""

from pathlib import Path

import numpy as np
import pytest

from shortrange.simulate.cache import cache_folder, content_key, load_entry, store_entry


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHORTRANGE_CACHE", str(tmp_path / "deep" / "cache"))
    return tmp_path / "deep" / "cache"


def test_what_is_stored_comes_back(own_folder):
    assert load_entry("a") is None
    assert store_entry("a", {"x": np.arange(3.0), "y": np.array([1 + 2j])})
    held = load_entry("a")
    assert held is not None
    np.testing.assert_array_equal(held["x"], [0, 1, 2])
    assert held["y"][0] == 1 + 2j
    assert [path.name for path in own_folder.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "text"])
def test_a_damaged_entry_is_no_entry(own_folder, damage):
    store_entry("a", {"x": np.arange(1000.0)})
    path = own_folder / "a.npz"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    path.write_bytes({"cut": raw[:3000], "flip": raw, "empty": b"", "text": b"not a zip file"}[damage])
    assert load_entry("a") is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SHORTRANGE_CACHE", str(tmp_path / "file"))
    assert not store_entry("a", {"x": np.arange(3.0)})
    assert load_entry("a") is None


def test_keys_depend_on_every_part_and_its_limits():
    assert (
        len({content_key("ab", "c"), content_key("a", "bc"), content_key("abc"), content_key(b"abc", b"")})
        == 4
    )
    assert content_key("abc") == content_key(b"abc")


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_each_system_has_its_own_place(monkeypatch, platform):
    monkeypatch.delenv("SHORTRANGE_CACHE")
    monkeypatch.setattr("sys.platform", platform)
    assert cache_folder().is_absolute()
    assert "shortrange" in cache_folder().parts
