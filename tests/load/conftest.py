"""Fixtures of the tests of loaders: files written on the spot."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sample_files import FILES

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(text: str | bytes, name: str = "scan.dat") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return _write


@pytest.fixture(params=sorted(FILES))
def sample(request: pytest.FixtureRequest, write: Write) -> tuple[str, str, Path]:
    """Loader, kind and file of every format in turn."""
    kind, name, text = FILES[request.param]
    return request.param, kind, write(text, name)


@pytest.fixture
def sample_vasprun(write: Write) -> Path:
    _, name, text = FILES["vasprun"]
    return write(text, name)
