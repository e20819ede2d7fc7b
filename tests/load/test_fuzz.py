"""Loaders of absorption scans on damaged files: hypothesis always, atheris for seconds where it is here."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from fuzzing import XAS, check
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_files import FILES

SCRIPT = Path(__file__).with_name("fuzzing.py")
SECONDS = int(os.environ.get("SHORTRANGE_FUZZ_SECONDS", "3"))
TOKENS = [b"nan", b"1e999", b"-", b"\n", b"\0", b"#", b"\xff\xfe", b",", b"0", b"1e5", b"'", b"[", b"]", b")"]

edits = st.lists(
    st.tuples(
        st.sampled_from(["cut", "double", "insert", "overwrite", "swap"]),
        st.floats(0, 1),
        st.integers(1, 200),
        st.sampled_from(TOKENS) | st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=4,
)


def damaged(content: bytes, changes: list[tuple[str, float, int, bytes]]) -> bytes:
    for kind, part, length, token in changes:
        at = int(part * len(content))
        piece = content[at : at + length]
        if kind == "cut":
            content = content[:at] + content[at + length :]
        elif kind == "double":
            content = content[:at] + piece + piece + content[at + length :]
        elif kind == "insert":
            content = content[:at] + token + content[at:]
        elif kind == "overwrite":
            content = content[:at] + token + content[at + len(token) :]
        else:
            content = content[:at] + piece[::-1] + content[at + length :]
    return content


def sample_of(name: str) -> bytes:
    content = FILES[name][2]
    return content if isinstance(content, bytes) else content.encode()


@pytest.mark.parametrize("name", XAS)
def test_the_sample_is_sound(tmp_path, name):
    assert check(name, sample_of(name), tmp_path) == ""


@pytest.mark.parametrize("name", [n for n in XAS if n != "hdf5"])
@settings(max_examples=60)
@given(changes=edits)
def test_damage(tmp_path_factory, name, changes):
    check(name, damaged(sample_of(name), changes), tmp_path_factory.getbasetemp())


@pytest.mark.parametrize("name", XAS)
@settings(max_examples=20)
@given(content=st.binary(max_size=400))
def test_any_bytes(tmp_path_factory, name, content):
    assert check(name, content, tmp_path_factory.getbasetemp())


@pytest.mark.parametrize("name", ["xdi", "columns", "athena"])
def test_atheris(name):
    if find_spec("atheris") is None:
        pytest.skip("atheris is not installed: pip install atheris (Linux and macOS)")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), name, "--seconds", str(SECONDS)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "number_of_executed_units" in done.stderr
