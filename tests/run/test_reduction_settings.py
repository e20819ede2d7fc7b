"""What a project says about a raw pattern reaches its reduction."""

import numpy as np
import pytest

from shortrange.atoms import mean_form_factors
from shortrange.config import Sample, TotalScatteringMeasurement
from shortrange.quantities import IQ
from shortrange.reduce.scattering import ScatteringReduction
from shortrange.reduce.scattering_terms import compton_intensity
from shortrange.run.inputs import Pattern
from shortrange.run.scattering import reduce_pattern


@pytest.mark.parametrize(
    ("width", "sigma"), [(0.0, (0.0, 0.0)), (1e-3, (0.9e-3, 1.01e-3)), (0.3, (3e-3, 0.3))]
)
def test_the_prior_of_compton_scattering(width, sigma):
    """Simulated; 0 holds the factor at 1, a narrow prior rules it, a wide one leaves it to the data."""
    q = np.arange(0.6, 23.0, 0.02)
    squared, mean = mean_form_factors({"Na": 1, "Cl": 1}, q)
    own = mean + squared * 2.0 * np.sinc(2.8 * q / np.pi) * np.exp(-0.006 * q**2)
    own += compton_intensity({"Na": 1, "Cl": 1}, q, wavelength=0.25)
    noise = np.random.default_rng(0).normal(size=q.size)
    iq = IQ(q=q, intensity=own * (1 + 1e-3 * noise) + 5.0, sigma=1e-3 * own, wavelength=0.25)
    measurement = TotalScatteringMeasurement(
        name="PDF", technique="total-scattering", pattern="x.chi", q_range=(0.8, 22.0), compton_width=width
    )
    sample = Sample(composition="NaCl", number_density=0.045)
    reduction = reduce_pattern(measurement, Pattern(intensity=iq), sample, density=None)
    assert isinstance(reduction, ScatteringReduction)
    assert sigma[0] <= reduction.compton_scale.sigma <= sigma[1]
    assert abs(reduction.compton_scale.value - 1.0) <= 3.0 * reduction.compton_scale.sigma
