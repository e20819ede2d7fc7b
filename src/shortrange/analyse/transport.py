"""How fast the ions move: D of every element, its error, Haven ratio, conductivity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.arrhenius import nernst_einstein
from shortrange.analyse.displacement import Drift, follow
from shortrange.analyse.estimate import Estimate
from shortrange.analyse.frames import Snapshots, columns
from shortrange.analyse.msd import Motion, collective_msd, free_slope_error, slope_of
from shortrange.analyse.posterior import CM2_PER_S, have_kinisi, posterior_of_d
from shortrange.analyse.roles import Roles, atoms_of
from shortrange.errors import DataError

__all__ = ["Diffusion", "Transport", "hops_needed", "transport"]

Array = NDArray[Any]

_START = 0.4  # of the lags; before it the ions still rattle in their cages
_MOVES = 0.5  # exponent below which an element rattles, and the law of free diffusion says nothing
_KINISI_LAGS = 60
_CREDIBLE = (2.5, 16.0, 50.0, 84.0, 97.5)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Diffusion:
    """Motion of one element.

    Attributes
    ----------
    element, n_atoms
        What moves.
    msd, sigma_msd
        Mean squared displacement and its standard error (free diffusion), angstrom^2, shape (n_lags,).
    by_axis
        Along x, y and z, angstrom^2, shape (n_lags, 3).
    d
        cm2/s: a sixth of the slope of an unweighted line through the window. Its error is the larger of two:
        from the scatter between atoms, and by the covariance of free diffusion (the latter only if the
        element moves: exponent above 0.5).
    d_by_axis
        Half the slope along x, y and z, cm2/s.
    intercept
        angstrom^2.
    exponent
        Slope of ln MSD against ln t in the window: 1 for diffusion, 0 for rattling.
    posterior
        Quantiles 2.5, 16, 50, 84 and 97.5 % of D by kinisi, cm2/s; None if it is not installed or the
        element was not asked.
    """

    element: str
    n_atoms: int
    msd: Array
    sigma_msd: Array
    by_axis: Array
    d: Estimate
    d_by_axis: tuple[float, float, float]
    intercept: float
    exponent: float
    posterior: tuple[float, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Transport:
    """Motion in a trajectory.

    Attributes
    ----------
    time
        Lags, fs, shape (n_lags,).
    window
        Lags between which lines were fitted, fs.
    time_step
        fs between frames.
    drift
        Which centre of mass was held still.
    elements
        All elements, the mobile ones first.
    collective
        Squared displacement of the sum of the mobile ions over their number, angstrom^2.
    d_collective
        Its sixth slope, cm2/s.
    haven
        D of single ions over that of all together; None where its error exceeds half of it.
    hops, hop_length
        Effective hops of the mobile ions, N max(MSD) / a^2, and the a taken, angstrom (He et al. 2018).
    relative_error
        Of D by their rule, 3.43 / sqrt(hops) + 0.04.
    temperature
        K, or None.
    carrier_density
        Mobile ions per cubic angstrom, or None.
    conductivity, conductivity_collective
        Nernst-Einstein, and with the collective D, S/cm; None without a temperature or a cell.
    doubts
        Sentences.
    """

    time: Array
    window: tuple[float, float]
    time_step: float
    drift: Drift
    elements: tuple[Diffusion, ...]
    collective: Array | None
    d_collective: Estimate | None
    haven: Estimate | None
    hops: float | None
    hop_length: float | None
    relative_error: float | None
    temperature: float | None
    carrier_density: float | None
    conductivity: Estimate | None
    conductivity_collective: Estimate | None
    doubts: tuple[str, ...]


def hops_needed(relative_error: float) -> float:
    """Effective hops for a relative error of D, after He, Zhu, Epstein and Mo (2018).

    Raises
    ------
    DataError
        For an error of 0.04 or less, which no number of hops reaches by this rule.
    """
    if not relative_error > 0.04:
        raise DataError(
            f"a relative error of {relative_error}", where="hops_needed", do="ask for more than 0.04"
        )
    return (3.43 / (relative_error - 0.04)) ** 2


def transport(
    trajectory: Snapshots,
    roles: Roles,
    *,
    time_step: float | None = None,
    temperature: float | None = None,
    charge: float = 1.0,
    window: tuple[float, float] | None = None,
    drift: Drift = "all",
    hop_length: float | None = None,
) -> Transport:
    """Diffusion of every element, and what the mobile ions conduct.

    Parameters
    ----------
    trajectory, roles
        Frames in order of time, and which elements are mobile.
    time_step
        fs between frames, where the file does not say.
    temperature
        K; without it there is no conductivity.
    charge
        Of a mobile ion.
    window
        Lags between which lines are fitted, fs; by default from 40 % of the lags to half the run.
    drift
        Which centre of mass is held still.
    hop_length
        Between neighbouring sites, angstrom, for the number of hops.

    Raises
    ------
    DataError
        If the time step is unknown or contradicts the file, frames are too few, missing or out of order, or
        the window holds fewer than 3 lags.
    """
    where = trajectory.source or trajectory.label or "trajectory"
    step = _time_step(trajectory, time_step, where)
    _check_positive(where, temperature=temperature, hop_length=hop_length)
    if trajectory.n_frames < 10:
        raise DataError(
            f"{trajectory.n_frames} frames are too few for a line through displacements",
            where=where,
            do="give 10 frames or more",
        )
    paths = follow(trajectory, roles, drift=drift)
    lags, chosen = _window(trajectory.n_frames, step, window, where)
    order = [s for s in trajectory.composition if s in roles.mobile]
    order += [s for s in trajectory.composition if s not in roles.mobile]
    together, elements = np.zeros((trajectory.n_frames, 3)), []
    for element in order:
        motion, atoms = Motion(lags, lags * step, chosen), atoms_of(trajectory, [element])
        for some in columns(paths, atoms):
            motion.add(some)
            if element in roles.mobile:
                together += some.sum(axis=1)
        elements.append(
            _diffusion(element, atoms.size, motion, trajectory.n_frames, lags, step, chosen, roles)
        )
    shared: dict[str, Any] = {
        "time": lags * step,
        "window": (float(lags[chosen][0] * step), float(lags[chosen][-1] * step)),
        "time_step": step,
        "drift": drift,
        "elements": tuple(elements),
        "temperature": temperature,
        "hop_length": hop_length,
    }
    return Transport(**shared, **_together(trajectory, roles, together, lags, chosen, shared, charge))


def _time_step(trajectory: Snapshots, given: float | None, where: str) -> float:
    stated = trajectory.time_step
    if given is None and stated is None:
        raise DataError(
            "the time between frames is unknown",
            where=where,
            do="give it in fs with --time-step: the step of the dynamics times the steps from frame to frame",
        )
    _check_positive(where, time_step=given)
    if given is not None and stated is not None and abs(given - stated) > 1e-3 * stated:
        raise DataError(
            f"the time between frames is given as {given:g} fs, but the file says {stated:g}",
            where=where,
            do="leave --time-step out, or correct the file",
        )
    known = stated if given is None else given
    assert known is not None
    return float(known)


def _check_positive(where: str, **values: float | None) -> None:
    for name, value in values.items():
        if value is not None and not 0 < value < math.inf:
            raise DataError(f"{name} = {value}", where=where, do="give a number above zero")


def _window(
    n_frames: int, step: float, window: tuple[float, float] | None, where: str
) -> tuple[Array, Array]:
    """Lags up to half the run, or to the end of a longer window, and the places of the window."""
    last = n_frames // 2 - 1
    if window is None:
        lags = np.arange(1, last + 1)
        return lags, np.arange(int(_START * last), last)
    lags = np.arange(1, min(max(last, int(window[1] / step + 1e-9)), n_frames - 1) + 1)
    chosen = np.flatnonzero((lags * step >= window[0] - 1e-9) & (lags * step <= window[1] + 1e-9))
    if chosen.size < 3:
        raise DataError(
            f"the window {window[0]:g} to {window[1]:g} fs holds {chosen.size} lags",
            where=where,
            do=f"give a window within {step:g} to {last * step:g} fs (half the run), with 3 lags or more",
        )
    return lags, chosen


def _diffusion(
    element: str, n_atoms: int, motion: Motion, n_frames: int, lags: Array, step: float, chosen: Array,
    roles: Roles,
) -> Diffusion:  # fmt: skip
    time = lags * step
    by_axis, spread = motion.by_axis, motion.relative_variance
    msd = by_axis.sum(axis=1)
    windows = n_atoms * (n_frames - 1) / lags
    variance = spread * msd**2 / windows
    at = time[chosen]
    slope, intercept = slope_of(at, msd[chosen])
    exponent = slope_of(np.log(at), np.log(np.maximum(msd[chosen], 1e-12)))[0]
    sigma = motion.between_atoms
    if exponent > _MOVES:
        sigma = max(sigma or 0.0, _free_error(msd[chosen], at, lags[chosen], (spread / windows)[chosen]))
    posterior = None
    if element in roles.mobile and have_kinisi() and slope > 0:
        few = np.unique(np.linspace(chosen[0], chosen[-1], min(_KINISI_LAGS, chosen.size)).astype(int))
        draws = posterior_of_d(time[few], msd[few], variance[few], windows[few])
        posterior = tuple(float(x) for x in np.percentile(draws, _CREDIBLE))
    axes = [slope_of(at, by_axis[chosen, x])[0] / 2.0 * CM2_PER_S for x in range(3)]
    return Diffusion(
        element=element,
        n_atoms=n_atoms,
        msd=msd,
        sigma_msd=np.sqrt(variance),
        by_axis=by_axis,
        d=Estimate(slope / 6.0 * CM2_PER_S, None if sigma is None else sigma / 6.0 * CM2_PER_S),
        d_by_axis=(axes[0], axes[1], axes[2]),
        intercept=intercept,
        exponent=exponent,
        posterior=posterior,
    )


def _free_error(msd: Array, time: Array, lags: Array, relative: Array) -> float:
    """Error of the slope if the motion is free diffusion of the mean speed that is seen.

    ``relative`` is the variance of the mean squared displacement over its square.
    """
    line = float((msd / time).mean()) * time
    return free_slope_error(time, relative * line**2, lags)


def _together(
    trajectory: Snapshots, roles: Roles, total: Array, lags: Array, chosen: Array, shared: dict[str, Any],
    charge: float,
) -> dict[str, Any]:  # fmt: skip
    """Return what the mobile ions do together, and what to doubt."""
    out: dict[str, Any] = dict.fromkeys(
        ("collective", "d_collective", "haven", "hops", "relative_error", "carrier_density", "conductivity",
         "conductivity_collective")
    )  # fmt: skip
    elements: tuple[Diffusion, ...] = shared["elements"]
    mobile = [e for e in elements if e.element in roles.mobile]
    doubts = _doubts(mobile, elements, roles)
    if mobile:
        carriers = sum(e.n_atoms for e in mobile)
        together = collective_msd(total, carriers, lags)
        windows = (trajectory.n_frames - 1) / lags
        at = shared["time"][chosen]
        slope = slope_of(at, together[chosen])[0]
        sigma = _free_error(together[chosen], at, lags[chosen], (2.0 / 3.0 / windows)[chosen])
        out["collective"] = together
        out["d_collective"] = Estimate(slope / 6.0 * CM2_PER_S, sigma / 6.0 * CM2_PER_S)
        single = _pooled(mobile)
        out["haven"] = _haven(single, out["d_collective"])
        if shared["hop_length"] is not None:
            highest = sum(e.n_atoms * float(e.msd.max()) for e in mobile)
            out["hops"] = highest / shared["hop_length"] ** 2
            out["relative_error"] = 3.43 / math.sqrt(out["hops"]) + 0.04 if out["hops"] > 0 else None
        density = trajectory.number_density
        if density is not None:
            out["carrier_density"] = density * carriers / trajectory.n_atoms
        if density is not None and shared["temperature"] is not None:
            for name, d in (("conductivity", single), ("conductivity_collective", out["d_collective"])):
                factor = nernst_einstein(
                    1.0,
                    carrier_density=out["carrier_density"],
                    temperature=shared["temperature"],
                    charge=charge,
                )
                out[name] = Estimate(d.value * factor, None if d.sigma is None else d.sigma * factor)
    out["doubts"] = tuple(doubts)
    return out


def _pooled(mobile: list[Diffusion]) -> Estimate:
    total = sum(e.n_atoms for e in mobile)
    value = sum(e.n_atoms * e.d.value for e in mobile) / total
    return Estimate(value, math.sqrt(sum((e.n_atoms * (e.d.sigma or 0.0)) ** 2 for e in mobile)) / total)


def _haven(single: Estimate, together: Estimate) -> Estimate | None:
    if not (together.value > 0 and single.value > 0):
        return None
    ratio = single.value / together.value
    relative = math.hypot((together.sigma or 0.0) / together.value, (single.sigma or 0.0) / single.value)
    return Estimate(ratio, ratio * relative) if relative <= 0.5 else None


def _doubts(mobile: list[Diffusion], elements: tuple[Diffusion, ...], roles: Roles) -> list[str]:
    doubts = []
    if not mobile:
        doubts.append("no element is mobile: name it with --mobile to have a conductivity")
    for e in mobile:
        if e.exponent < 0.8:
            doubts.append(
                f"the motion of {e.element} is not diffusive in the window (exponent {e.exponent:.2f}): "
                "D is an upper limit at best; run longer"
            )
        if e.d.value <= 0:
            doubts.append(
                f"D of {e.element} is not above zero: the run is too short or {e.element} does not move"
            )
    fastest = max((e.d.value for e in mobile), default=0.0)
    for e in elements:
        if e.element not in roles.mobile and e.exponent > 0.7 and e.d.value > 0.1 * fastest > 0:
            doubts.append(f"{e.element} diffuses as well ({e.d.value:.1e} cm2/s): the framework is not solid")
    if mobile and not have_kinisi():
        doubts.append('no posterior of D: install it with pip install "shortrange[diffusion]"')
    return doubts
