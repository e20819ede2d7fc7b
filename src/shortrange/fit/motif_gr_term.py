"""G(r) of a motif against measured G(r): its structure is free, and what lies around it is integrated out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.fit.modes import pdf_modes
from shortrange.fit.motif_term import MOTIF_WIDTHS, central_slopes, structural_parameters
from shortrange.fit.parameters import Parameter
from shortrange.fit.pdf_term import PDF_PARAMETERS, measured_covariance
from shortrange.fit.term import Term, require_points
from shortrange.numeric.sine import Window
from shortrange.quantities import GR
from shortrange.simulate.motifs.scattering import PAIR_KINDS, MotifGr
from shortrange.simulate.motifs.surroundings import Surroundings

__all__ = ["MOTIF_GR_WIDTHS", "motif_gr_term"]

Array = NDArray[Any]

MOTIF_GR_WIDTHS = (
    *MOTIF_WIDTHS[:2],
    Parameter(
        name="sigma2_octahedron", unit="angstrom^2", value=0.05, lower=0.0, upper=0.2, prior=(0.05, 0.03)
    ),
    Parameter(name="sigma2_across", unit="angstrom^2", value=0.2, lower=0.0, upper=0.8, prior=(0.2, 0.15)),
    Parameter(
        name="c3_bond", unit="angstrom^3", value=0.0005, lower=-0.001, upper=0.003, prior=(0.0005, 0.0005)
    ),
)
"""Bonds and metal-metal as for EXAFS; ligands of one octahedron (0.05 at 600 K) and of two, which turn
against each other. Without the third cumulant the long tail of the bonds passes for a long bond of another
ligand."""


def motif_gr_term(
    data: GR,
    model: MotifGr,
    *,
    surroundings: Surroundings,
    number_density: float,
    measurement: str,
    q_range: tuple[float, float],
    window: Window | None = None,
    scale: Parameter = PDF_PARAMETERS[0],
) -> Term:
    """State the comparison of G(r) with a motif.

    What lies between units is an unknown curve with a normal prior: its mean is added to the model, and its
    covariance to that of the data, which integrates it out.

    Parameters
    ----------
    data
        Measured G(r) with its covariance or standard error.
    model
        The motif on those points of ``data.r`` that are compared.
    surroundings
        Prior for what lies between units.
    number_density
        Of the sample, atoms per cubic angstrom.
    measurement, q_range, window
        Name for reports; range of Q and window of the data.
    scale
        Its prior.

    Raises
    ------
    DataError
        If the data have no error estimate or too few independent points, or ``r`` reaches too far.
    """
    inside = (data.r >= model.r[0] - 1e-9) & (data.r <= model.r[-1] + 1e-9)
    r = data.r[inside]
    structural = structural_parameters(model.hypothesis)
    n = len(structural)
    modes = pdf_modes(r, q_range=q_range)
    # Widths are known well enough to need no point of their own.
    require_points(modes.shape[1], n + 1, measurement=measurement, ranges="r_range and q_range")
    around = surroundings.expected(r, q_range=q_range, number_density=number_density, window=window)
    unknown = surroundings.covariance(r, number_density=number_density)

    def arguments(theta: Array) -> dict[str, Any]:
        *widths, c3_bond = theta[n + 1 :]
        return {
            "structure": {p.name: x for p, x in zip(structural, theta[:n], strict=True)},
            "scale": theta[n], "sigma2": dict(zip(PAIR_KINDS, widths, strict=True)), "c3_bond": c3_bond,
        }  # fmt: skip

    def curve(theta: Array) -> Array:
        return np.asarray(model(**arguments(theta)) + theta[n] * around)

    def parts(theta: Array) -> Mapping[str, Array]:
        return model.contributions(**arguments(theta)) | {"between units": theta[n] * around}

    parameters = (*structural, scale, *MOTIF_GR_WIDTHS)
    return Term(
        measurement=measurement, technique="total-scattering", x=r, curve=data.g[inside], modes=modes,
        noise=modes.T @ measured_covariance(data, inside, q_range=q_range, measurement=measurement) @ modes,
        sampling=np.zeros((modes.shape[1],) * 2), left_out=modes.T @ unknown @ modes,
        model=curve, parameters=parameters, contributions=parts, fit_range=(float(r[0]), float(r[-1])),
        slopes=lambda theta: central_slopes(curve, parameters, theta),
    )  # fmt: skip
