"""Everything of a result in one HDF5 file, with NeXus names, units and the history of each quantity."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from shortrange._version import __version__
from shortrange.compare.verdict import MeasurementFit, Verdict
from shortrange.quantities import GR, SQ, ChiK, ChiR, Step
from shortrange.reduce.scattering import ScatteringReduction
from shortrange.reduce.xas import XasReduction
from shortrange.report.plates import chi_r_of
from shortrange.report.verdict_json import plain_data
from shortrange.transform.fourier import sigma_magnitude

__all__ = ["write_archive"]

Array = NDArray[Any]


def write_archive(
    path: Path,
    *,
    title: str,
    verdict: Verdict | None,
    reductions: Mapping[str, XasReduction | ScatteringReduction | GR],
    record: Mapping[str, Any] | None = None,
    simulated: bool = False,
    k_weights: Mapping[str, float] | None = None,
) -> Path:
    """Write an HDF5 file.

    ``/entry/<measurement>`` holds the reduced data (an ``NXsubentry``; its definition is ``NXxas`` for
    absorption), ``/entry/models/<model>/<measurement>`` the fits, ``/entry/verdict`` the text of
    ``verdict.json``. Each ``NXdata`` group names its ``signal`` and ``axes``; each dataset has ``units``; the
    attribute ``history`` is JSON.

    Parameters
    ----------
    path
        File; replaced if it exists.
    title
        The question or the sample.
    verdict
        The answer, or None for a reduction alone.
    reductions
        By measurement.
    record
        Content of ``verdict.json``.
    simulated
        Whether the measurements were made from models.
    k_weights
        Power of k in the fitted curves of a measurement where it is not 2.
    """
    with h5py.File(path, "w", track_order=True) as file:
        file.attrs["default"] = "entry"
        file.attrs["creator"] = f"shortrange {__version__}"
        entry = _group(file, "entry", "NXentry")
        entry["title"] = title
        entry["program_name"] = "shortrange"
        entry["program_name"].attrs["version"] = __version__
        entry.attrs["simulated"] = bool(simulated)
        for name, reduction in reductions.items():
            group = _group(entry, _safe(name), "NXsubentry")
            group.attrs["name"] = name
            if isinstance(reduction, XasReduction):
                _write_xas(group, reduction)
            elif isinstance(reduction, GR):
                _write_gr(group, reduction)
            else:
                _write_scattering(group, reduction)
        if verdict is not None:
            _write_models(_group(entry, "models", "NXcollection"), verdict, k_weights or {})
        if record is not None:
            entry["verdict"] = json.dumps(record, ensure_ascii=False, allow_nan=False)
    return path


def _write_xas(group: h5py.Group, reduction: XasReduction) -> None:
    group["definition"] = "NXxas"
    normalised, merged = reduction.normalised, reduction.merged
    group["element"] = merged.element or ""
    group["edge"] = merged.edge or ""
    group["mode"] = merged.mode or ""
    _scalar(group, "e0", normalised.e0, "eV")
    _scalar(group, "edge_step", normalised.edge_step, "")
    group["edge_step"].attrs["error"] = normalised.sigma_edge_step
    columns = {
        "absorbed_beam": normalised.mu,
        "absorbed_beam_errors": normalised.sigma,
        "normalised": normalised.norm,
        "flattened": normalised.flat,
        "pre_edge": normalised.pre_edge,
        "post_edge": normalised.post_edge,
    }
    _data(group, "data", axis=("energy", normalised.energy, "eV"), columns=columns, history=reduction.history)
    group["scans"] = json.dumps(
        [
            {
                "file": report.file,
                "energy_shift": report.energy_shift,
                "sigma_energy_shift": report.sigma_energy_shift,
                "used": report.used,
                "reason": report.reason,
            }
            for report in reduction.reports
        ],
        ensure_ascii=False,
    )
    if reduction.chi is not None:
        _write_chi_k(group, reduction.chi)
    chi_r = chi_r_of(reduction)
    if chi_r is not None:
        _write_chi_r(group, chi_r)


def _write_chi_k(group: h5py.Group, data: ChiK) -> None:
    columns = {"chi": data.chi, "chi_errors": data.sigma, "covariance": data.cov}
    _data(group, "chi_k", axis=("k", data.k, "1/angstrom"), columns=columns, history=data.history)


def _write_chi_r(group: h5py.Group, data: ChiR) -> None:
    made = _data(
        group,
        "chi_r",
        axis=("r", data.r, "angstrom"),
        columns={
            "magnitude": data.magnitude,
            "magnitude_errors": sigma_magnitude(data),
            "real": data.chi.real,
            "imaginary": data.chi.imag,
        },
        history=data.history,
        units=f"angstrom^{-data.k_weight - 1:g}",
    )
    made.attrs["k_weight"] = data.k_weight
    made.attrs["k_range"] = data.k_range


def _write_scattering(group: h5py.Group, reduction: ScatteringReduction) -> None:
    _write_sq(group, reduction.sq)
    _write_gr(group, reduction.gr)
    group.attrs["history"] = _history(reduction.history)
    estimates = _group(group, "estimates", "NXparameters")
    units = {"number_density": "1/angstrom^3"}
    for name in ("scale", "background_scale", "air_scale", "compton_scale", "fluorescence", "number_density"):
        estimate = getattr(reduction, name)
        if estimate is not None:
            _scalar(estimates, name, estimate.value, units.get(name, ""))
            estimates[name].attrs["error"] = estimate.sigma


def _write_sq(group: h5py.Group, data: SQ) -> None:
    columns = {"s": data.s, "s_errors": data.sigma}
    _data(group, "s_q", axis=("q", data.q, "1/angstrom"), columns=columns, history=data.history)


def _write_gr(group: h5py.Group, data: GR) -> None:
    made = _data(
        group,
        "g_r",
        axis=("r", data.r, "angstrom"),
        columns={"g": data.g, "g_errors": data.sigma, "covariance": data.cov},
        history=data.history,
        units="1/angstrom^2",
    )
    for name in ("q_min", "q_max", "q_damp", "number_density"):
        if getattr(data, name) is not None:
            made.attrs[name] = getattr(data, name)
    made.attrs["composition"] = json.dumps(plain_data(data.composition))


def _write_models(group: h5py.Group, verdict: Verdict, k_weights: Mapping[str, float]) -> None:
    for model in verdict.models:
        of_model = _group(group, _safe(model.name), "NXcollection")
        of_model.attrs["name"] = model.name
        of_model.attrs["probability"] = model.probability
        of_model.attrs["log_evidence"] = model.log_evidence
        for fit in model.fits:
            _write_fit(of_model, fit, k_weights.get(fit.measurement, 2.0))


def _write_fit(group: h5py.Group, fit: MeasurementFit, k_weight: float) -> None:
    axis, axis_unit, unit = "r", "angstrom", "1/angstrom^2"
    if fit.technique == "xas":
        axis, axis_unit, unit = "k", "1/angstrom", f"angstrom^{-k_weight:g}"
    made = _data(
        group,
        _safe(fit.measurement),
        axis=(axis, fit.x, axis_unit),
        columns={
            "data": fit.data,
            "data_errors": fit.sigma,
            "model": fit.model,
            "theory_errors": fit.theory_sigma,
        },
        units=unit,
    )
    for name in ("R", "chi2_reduced", "p_value", "log_evidence"):
        made.attrs[name] = getattr(fit, name)
    made.attrs["compared_range"] = fit.fit_range
    if fit.technique == "xas":
        made.attrs["k_weight"] = k_weight
    if fit.contributions:
        columns = dict(fit.contributions)
        _data(made, "contributions", axis=(axis, fit.x, axis_unit), columns=columns, units=unit)
    parameters = _group(made, "parameters", "NXparameters")
    for parameter in fit.parameters:
        _scalar(parameters, _safe(parameter.name), parameter.value, parameter.unit)
        attributes = parameters[_safe(parameter.name)].attrs
        attributes["error"] = np.nan if parameter.sigma is None else parameter.sigma
        attributes["bounds"] = parameter.bounds
        attributes["at_bound"] = parameter.at_bound
        attributes["note"] = parameter.note
        if parameter.prior is not None:
            attributes["prior"] = parameter.prior


def _group(parent: h5py.Group, name: str, kind: str) -> h5py.Group:
    group = parent.create_group(name, track_order=True)
    group.attrs["NX_class"] = kind
    return group


def _data(
    parent: h5py.Group,
    name: str,
    *,
    axis: tuple[str, Array, str],
    columns: Mapping[str, Array | None],
    history: Sequence[Step] = (),
    units: str = "",
) -> h5py.Group:
    """NXdata with one axis; the first column is the signal, those that are None are left out."""
    group = _group(parent, name, "NXdata")
    axis_name, values, axis_units = axis
    group.attrs["axes"] = axis_name
    group.attrs["signal"] = _safe(next(iter(columns)))
    group[axis_name] = values
    group[axis_name].attrs["units"] = axis_units
    for column, array in columns.items():
        if array is not None:
            many = array.size > 10_000
            made = group.create_dataset(_safe(column), data=array, compression="gzip" if many else None)
            made.attrs["units"] = f"({units})^2" if column == "covariance" and units else units
    if history:
        group.attrs["history"] = _history(history)
    return group


def _history(history: Sequence[Step]) -> str:
    steps = [{"name": s.name, "settings": plain_data(s.settings), "version": s.version} for s in history]
    return json.dumps(steps, ensure_ascii=False)


def _scalar(group: h5py.Group, name: str, value: float, units: str) -> None:
    group[name] = value
    group[name].attrs["units"] = units


def _safe(name: str) -> str:
    """Name for HDF5, where a stroke separates groups and a lone dot means the group itself."""
    safe = name.replace("/", "∕")
    return safe if safe.strip(".") else f"_{safe}"
