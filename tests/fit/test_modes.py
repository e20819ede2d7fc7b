import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortrange.errors import DataError
from shortrange.fit.modes import exafs_modes, pdf_modes

K = np.arange(3.0, 12.51, 0.05)
R = np.arange(1.9, 6.01, 0.02)


def test_as_many_exafs_modes_as_nyquist_allows():
    # Stern, Phys. Rev. B 48, 9825 (1993) counts 2 dk dR / pi (+ 2); the Shannon number has no + 2.
    modes = exafs_modes(K, r_range=(1.2, 4.2))
    assert modes.shape[1] == round(2 * 9.5 * 3.0 / np.pi)


def test_as_many_pdf_modes_as_nyquist_allows():
    modes = pdf_modes(R, q_range=(0.8, 22.0))
    assert modes.shape[1] == round(4.1 * 21.2 / np.pi)


@pytest.mark.parametrize("modes", [exafs_modes(K, r_range=(1.2, 4.2)), pdf_modes(R, q_range=(0.8, 22.0))])
def test_modes_are_orthonormal(modes):
    np.testing.assert_allclose(modes.T @ modes, np.eye(modes.shape[1]), atol=1e-12)


@given(distance=st.floats(1.9, 3.5), phase=st.floats(0.0, 6.3))
@settings(max_examples=25)
def test_a_wave_in_the_band_is_kept(distance, phase):
    wave = np.sin(2.0 * K * distance + phase)
    kept = np.linalg.norm(exafs_modes(K, r_range=(1.2, 4.2)).T @ wave) / np.linalg.norm(wave)
    assert kept > 0.95


@given(distance=st.floats(5.0, 9.0), phase=st.floats(0.0, 6.3))
@settings(max_examples=25)
def test_a_wave_outside_the_band_is_removed(distance, phase):
    wave = np.sin(2.0 * K * distance + phase)
    kept = np.linalg.norm(exafs_modes(K, r_range=(1.2, 4.2)).T @ wave) / np.linalg.norm(wave)
    assert kept < 0.2


def test_a_finer_grid_gives_no_more_points():
    fine = pdf_modes(np.arange(1.9, 6.001, 0.005), q_range=(0.8, 22.0))
    assert fine.shape[1] == pdf_modes(R, q_range=(0.8, 22.0)).shape[1]


def test_a_grid_that_is_not_uniform_is_refused():
    with pytest.raises(DataError, match="not uniform"):
        pdf_modes(R**1.5, q_range=(0.8, 22.0))


def test_a_range_without_a_single_point_is_refused():
    with pytest.raises(DataError, match="not even one independent point"):
        exafs_modes(np.arange(3.0, 3.5, 0.05), r_range=(1.0, 1.5))
