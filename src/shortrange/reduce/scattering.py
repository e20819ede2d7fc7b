"""Total scattering: I(Q) -> S(Q) -> G(r) on an absolute scale, with covariance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.polynomial.chebyshev import chebval
from numpy.typing import NDArray

from shortrange.atoms import atomic_number
from shortrange.errors import DataError
from shortrange.numeric.sine import Window
from shortrange.quantities import GR, IQ, SQ, Step, step
from shortrange.reduce.scattering_checks import check_background, check_pattern, cut_pattern, on_grid
from shortrange.reduce.scattering_fit import COMPTON_WIDTHS, JointFit, joint_fit
from shortrange.reduce.scattering_terms import scattering_terms
from shortrange.reduce.scattering_transform import gr_from_sq
from shortrange.shown import Shown

__all__ = ["Estimate", "ScatteringReduction", "gr_from_sq", "reduce_scattering", "shortest_distance"]

Array = NDArray[Any]

_SMOOTH_SHARE = 0.6  # of the r_cut q_max / pi independent conditions, for the order of the correction
_LEAST = 1e-9  # share of the intensity that atoms must scatter
_NO_SMOOTH = 0.05  # probability: below it the data ask for a smooth correction
_LOW_R_DOUBT = 0.15
_LOW_R_REFUSED = 1.0
_DENSITY_DOUBT = (2.5, 0.25)  # standard errors, and part of the density
_SMOOTH_DOUBT = 0.04
_NEGATIVE_DOUBT = 0.1  # of <f>^2


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number, its standard error, and an interval.

    Attributes
    ----------
    value
        Mean of what is thought likely.
    sigma
        Half of the interval about it that holds the truth with 68.3 %.
    interval
        That of 95.4 %: wider than ``value`` +- 2 ``sigma`` where something improbable would matter, such as a
        smooth error of the pattern. None for a number that was given.
    """

    value: float
    sigma: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScatteringReduction(Shown):
    """What one pattern reduces to.

    Attributes
    ----------
    sq, gr
        With covariance from the noise of I(Q) and from the unknowns below.
    scale
        Measured intensity for one electron unit per atom. Its error holds what a smooth error may be at all
        Q, which G(r) does not see.
    background_scale, air_scale
        Factors of the background pattern and of the air pattern in the sample pattern; None without.
    compton_scale
        Factor of the tabulated Compton scattering.
    fluorescence
        Constant part of the measured intensity.
    number_density
        Atoms per cubic angstrom: as given (error 0) or fitted.
    smooth_order
        Order of the smooth multiplicative correction if the data ask for one, else 0.
    smooth
        That correction 1 / p(Q) at ``sq.q``, averaged over its possible sizes, shape (n_q,).
    low_r_residual
        rms of a damped G + 4 pi rho0 r below ``r_cut`` over the rms of 4 pi rho0 r there: 0 is perfect.
    r_cut
        Below it no distance is expected, angstrom.
    history
        Operations; names that begin with ``warning:`` are doubts.
    """

    sq: SQ
    gr: GR
    scale: Estimate
    background_scale: Estimate | None
    air_scale: Estimate | None
    compton_scale: Estimate
    fluorescence: Estimate
    number_density: Estimate
    smooth_order: int
    smooth: Array
    low_r_residual: float
    r_cut: float
    history: tuple[Step, ...]


def reduce_scattering(
    iq: IQ,
    *,
    background: IQ | None = None,
    air: IQ | None = None,
    composition: Mapping[str, float],
    charges: Mapping[str, int] | None = None,
    number_density: float | None = None,
    wavelength: float | None = None,
    q_range: tuple[float, float],
    r_cut: float | None = None,
    r: Array | None = None,
    window: Window | None = None,
    anomalous: bool = True,
    recoil_power: float = 2.0,
    compton_width: float | None = None,
    smooth: bool = True,
    covariance: bool = True,
) -> ScatteringReduction:
    """Reduce I(Q) to S(Q) and G(r).

    Parameters
    ----------
    iq
        Pattern of the sample, corrected for polarisation and solid angle as pyFAI does.
    background
        Pattern of the empty container, on any grid that covers ``q_range``.
    air
        Pattern without sample and container, if its part differs between sample and background.
    composition
        Atoms of each element.
    charges
        Ionic charge of elements whose form factor shall be that of an ion, such as ``{"Na": 1, "Cl": -1}``.
    number_density
        Atoms per cubic angstrom. None: fitted, with a prior that holds nearly all solids.
    wavelength
        angstrom; by default that of ``iq``.
    q_range
        Part of the pattern that is used, 1/angstrom.
    r_cut
        Below it there is no distance, angstrom; by default 3/4 of the shortest sum of covalent radii.
    r
        Where G is wanted, angstrom, by default 0 to 20 in steps of 0.02.
    window
        None, ``"lorch"`` or ``"soft"``; see `shortrange.numeric.sine.window_values`.
    anomalous
        Add f' and f'' at the wavelength (Chantler).
    recoil_power
        Breit-Dirac factor of Compton scattering: 2 for a photon-counting detector, 3 for an integrating one.
    compton_width
        The factor of the tabulated Compton scattering is 1 +- this beforehand: 0.3 for tables, recoil or a
        detector that are not trusted, 0 to hold it at 1. None: 0.03 or, less likely, 0.3.
    smooth
        Allow for a smooth multiplicative error of the pattern, of a size that the data decide.
    covariance
        Whether G(r) carries its full covariance, or only its standard error.

    Returns
    -------
    ScatteringReduction

    Raises
    ------
    DataError
        If a pattern cannot be I(Q) over ``q_range``, or the conditions leave no positive scale, or G(r) is
        nothing like a straight line below ``r_cut``.
    """
    where = iq.source or iq.label or "reduce_scattering"
    wavelength = _checked(
        where, iq.wavelength if wavelength is None else wavelength, composition, number_density
    )
    if not 0.0 <= recoil_power <= 4.0:
        raise DataError(
            f"recoil_power = {recoil_power:g}", where=where, do="give 2, 3 for an integrating detector, or 0"
        )
    if compton_width is not None and not 0.0 <= compton_width <= 1.0:
        raise DataError(
            f"compton_width = {compton_width:g}", where=where, do="give 0 to 1: the factor is 1 +- that"
        )
    check_pattern(iq, q_range=q_range, wavelength=wavelength)
    pattern, steps = cut_pattern(iq, q_range)
    sigma = np.asarray(pattern.sigma)
    empty: dict[str, Array] = {}
    empty_sigma: dict[str, Array] = {}
    for name, other in (("background", background), ("air", air)):
        if other is not None:
            check_pattern(other, q_range=q_range, wavelength=wavelength)
            check_background(iq, other, q_range=q_range)
            empty[name], empty_sigma[name], more = on_grid(other, pattern.q, name=name)
            steps += more
    r_cut = 0.75 * shortest_distance(composition) if r_cut is None else r_cut
    terms = scattering_terms(
        pattern.q, pattern.intensity, empty, composition=composition, wavelength=wavelength,
        anomalous=anomalous, recoil_power=recoil_power, charges=charges,
    )  # fmt: skip
    noise = np.sqrt(sigma**2 + sum(x**2 for x in empty_sigma.values()))
    order = int(_SMOOTH_SHARE * r_cut * pattern.q[-1] / np.pi) if smooth else 0
    fit = joint_fit(
        terms, noise, number_density=number_density, r_cut=r_cut, max_order=order, compton_width=compton_width
    )
    beta, p = _beta(fit, terms.q)
    # A pattern that does not fall with Q, all of it fluorescence, leaves a scale of rounding errors.
    nothing = np.max(terms.mean_f_squared) < _LEAST * beta * np.max(np.abs(pattern.intensity))
    if not (beta > 0 and np.all(p > 0.5)) or nothing:
        raise DataError(
            f"no positive scale makes S(Q) average to 1 at high Q (1/scale = {beta:.3g})", where=where,
            do="check composition, wavelength, background and q_range; is the axis Q, and not 2theta?",
        )  # fmt: skip
    if number_density is None and not fit["density"] > 0:
        raise DataError(
            f"no number density fits: it would be {fit['density']:.3g} atoms per cubic angstrom", where=where,
            do="check composition, background and wavelength; or give number_density",
        )  # fmt: skip
    if fit.crookedness > _LOW_R_REFUSED:
        raise DataError(
            f"below r = {r_cut:.2f} angstrom G(r) is off -4 pi rho0 r by {fit.crookedness:.2g} of it",
            where=where,
            do="there can be no distances: is the axis Q, and not 2theta? Are composition, wavelength and "
            "background right, and r_cut below the shortest distance?",
        )
    found = _estimates(fit)
    density = found["density"] if number_density is None else Estimate(number_density, 0.0)
    s = fit.s
    variance = (beta * p * sigma) ** 2 + sum((fit[name] * x) ** 2 for name, x in empty_sigma.items())
    # As few directions as there are unknowns that S(Q) sees.
    seen = np.any(fit.design != 0.0, axis=0)
    shared = fit.design[:, seen] @ np.asarray(np.linalg.qr(fit.factor[seen].T, mode="r")).T
    sigma_s = np.sqrt(np.sum(shared**2, axis=1) + variance / terms.mean_f_squared**2)
    smooth_order = fit.order if fit.smooth_odds[0.0] < _NO_SMOOTH else 0
    done = step(
        "reduce I(Q) to S(Q)", composition=dict(composition), number_density=density.value,
        wavelength=wavelength, q_range=list(q_range), r_cut=r_cut, anomalous=anomalous,
        recoil_power=recoil_power, compton_width=compton_width, charges=dict(charges or {}),
        smooth_order=smooth_order,
        probability_of_smooth_sizes={f"{size:g}": odds for size, odds in fit.smooth_odds.items()},
        low_r_residual=fit.low_r_residual,
    )  # fmt: skip
    history = (*iq.history, *steps, done, *_doubts(fit, found, number_density, p, s - fit.offset))
    sq = SQ(
        q=pattern.q, s=s, sigma=sigma_s, shared=shared, composition=dict(composition),
        number_density=density.value, label=iq.label, history=history,
    )  # fmt: skip
    grid = np.arange(1001) * 0.02 if r is None else r
    gr = gr_from_sq(sq, r=grid, q_range=q_range, window=window, covariance=covariance)
    return ScatteringReduction(
        sq=sq,
        gr=gr,
        scale=found["scale"],
        background_scale=found.get("background"),
        air_scale=found.get("air"),
        compton_scale=found["compton"],
        fluorescence=found["fluorescence"],
        number_density=density,
        smooth_order=smooth_order,
        smooth=1.0 / p,
        low_r_residual=fit.low_r_residual,
        r_cut=r_cut,
        history=gr.history,
    )


def shortest_distance(composition: Mapping[str, float]) -> float:
    """Shortest sum of two covalent radii in a composition, angstrom (Cordero et al. 2008, through ase)."""
    from ase.data import covalent_radii

    radii = [float(covalent_radii[atomic_number(symbol)]) for symbol in composition]
    return min(a + b for a, b in combinations_with_replacement(radii, 2))


def _checked(
    where: str, wavelength: float | None, composition: Mapping[str, float], number_density: float | None
) -> float:
    """Return the wavelength, after refusing settings that cannot be."""
    if wavelength is None or not 0.04 < wavelength < 5.0:
        raise DataError(
            f"wavelength = {wavelength}", where=where, do="give it in angstrom: Compton, f' and f'' need it"
        )
    if not composition:
        raise DataError("the composition is empty", where=where, do='give, for example, {"Na": 1, "Cl": 1}')
    if number_density is not None and not 1e-3 < number_density < 0.3:
        raise DataError(
            f"number_density = {number_density}", where=where, do="give atoms per cubic angstrom, 0.02 to 0.2"
        )
    return wavelength


def _beta(fit: JointFit, q: Array) -> tuple[float, Array]:
    """1 / scale, and the smooth correction that multiplies it, shape (n_q,)."""
    beta = fit["beta"]
    x = 2.0 * (q - q[0]) / (q[-1] - q[0]) - 1.0
    series = [1.0] + [fit[f"smooth {m}"] / beta for m in range(1, fit.order + 1)]
    return beta, np.asarray(chebval(x, series) * np.ones_like(q))


def _estimates(fit: JointFit) -> dict[str, Estimate]:
    """Unknowns in units of the measured intensity, with errors to first order."""
    beta, unit = fit["beta"], dict(zip(fit.names, np.eye(len(fit.names)), strict=True))
    values = {"scale": 1.0 / beta, "compton": fit["compton"], "density": fit["density"]}
    # A smooth error need not be 1 on average.
    level = -(unit["beta"] + unit["level"]) / beta**2
    slopes = {"scale": level, "compton": unit["compton"], "density": unit["density"]}
    for name in ("background", "air", "fluorescence"):
        if name in unit:
            values[name] = fit[name] / beta
            slopes[name] = (unit[name] - values[name] * unit["beta"]) / beta
    sigma, wide = fit.mixture.half_widths(np.stack([slopes[name] for name in values]))
    return {
        name: Estimate(float(x), float(s), (float(x - w), float(x + w)))
        for (name, x), s, w in zip(values.items(), sigma, wide, strict=True)
    }


def _doubts(
    fit: JointFit, found: Mapping[str, Estimate], number_density: float | None, p: Array, coherent: Array
) -> tuple[Step, ...]:
    """Say what speaks against the result; ``coherent`` is the coherent intensity over <f>^2."""
    doubts = []
    if np.max(np.abs(p - 1.0)) > _SMOOTH_DOUBT:
        doubts.append(
            step(
                "warning: the smooth correction is large: composition, background, axis or wavelength wrong?",
                smooth_range=[float(1.0 / p.max()), float(1.0 / p.min())],
            )
        )
    if np.min(coherent) < -_NEGATIVE_DOUBT:
        doubts.append(
            step(
                "warning: the coherent intensity is negative: composition or background may be wrong",
                lowest=float(np.min(coherent)),
            )
        )
    compton = found["compton"]
    if abs(compton.value - 1.0) > max(*COMPTON_WIDTHS, 2.0 * compton.sigma):
        doubts.append(
            step(
                "warning: Compton factor far from 1: a smooth error of the pattern may hide in it",
                compton_scale=compton.value,
            )
        )
    if fit.low_r_residual > _LOW_R_DOUBT:
        doubts.append(
            step("warning: G(r) is not a straight line at low r", low_r_residual=fit.low_r_residual)
        )
    if fit.density_shift is not None and number_density is not None:
        shift, sigma = fit.density_shift
        if abs(shift) > max(_DENSITY_DOUBT[0] * sigma, _DENSITY_DOUBT[1] * number_density):
            doubts.append(
                step(
                    "warning: the number density does not fit the slope of G(r) at low r: it or the "
                    "composition may be wrong",
                    given=number_density,
                    wanted=number_density + shift,
                    sigma=sigma,
                )
            )
    if number_density is None:
        doubts.append(step("warning: number density fitted, not given", number_density=fit["density"]))
    return tuple(doubts)
