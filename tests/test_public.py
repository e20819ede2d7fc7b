import subprocess
import sys

import pytest

import shortrange


@pytest.mark.parametrize("name", shortrange.__all__)
def test_every_public_name_is_there(name):
    assert getattr(shortrange, name) is not None


def test_public_names_and_their_homes_agree():
    assert set(shortrange.__all__) == {*shortrange._HOME, "__version__"}


def test_a_mistyped_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="lod"):
        _ = shortrange.lod


def test_importing_the_package_loads_nothing_else():
    code = (
        "import sys, shortrange\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & "
        "{'numpy', 'scipy', 'larch', 'matplotlib', 'ase', 'numba', 'h5py', 'pydantic', 'xraydb'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
