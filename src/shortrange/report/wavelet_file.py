"""Wavelet maps in HDF5, with NeXus names."""

from __future__ import annotations

import json
from pathlib import Path

import h5py

from shortrange._version import __version__
from shortrange.report.verdict_json import plain_data
from shortrange.transform.wavelet import WaveletMap

__all__ = ["write_wavelet"]


def write_wavelet(path: Path, data: WaveletMap, *, simulated: bool) -> Path:
    """Write ``/entry/wavelet`` (NXdata): ``r`` (angstrom), ``k`` (1/angstrom) and the map (n_r, n_k).

    Parameters
    ----------
    path
        File; replaced if it exists.
    data
        The map; its magnitude is the signal, real and imaginary part stand beside it.
    simulated
        Whether the data were made from a model.
    """
    with h5py.File(path, "w", track_order=True) as file:
        file.attrs["default"] = "entry"
        file.attrs["creator"] = f"shortrange {__version__}"
        entry = file.create_group("entry")
        entry.attrs.update({"NX_class": "NXentry", "default": "wavelet", "simulated": simulated})
        group = entry.create_group("wavelet", track_order=True)
        group.attrs.update({"NX_class": "NXdata", "signal": "magnitude", "axes": ["r", "k"]})
        group.attrs["k_weight"] = data.k_weight
        if data.k_range is not None:
            group.attrs["k_range"] = data.k_range
        for name, value in data.settings.items():
            group.attrs[name] = value
        group.attrs["amplitude"] = "k^n chi(k) = A sin(2 k R) gives a magnitude of A at R"
        group.attrs["history"] = json.dumps(
            [
                {"name": s.name, "settings": plain_data(s.settings), "version": s.version}
                for s in data.history
            ],
            ensure_ascii=False,
        )
        unit = f"angstrom^{-data.k_weight:g}"
        for name, values, units in (
            ("r", data.r, "angstrom"),
            ("k", data.k, "1/angstrom"),
            ("magnitude", data.magnitude, unit),
            ("real", data.values.real, unit),
            ("imaginary", data.values.imag, unit),
        ):
            many = values.size > 10_000
            made = group.create_dataset(name, data=values, compression="gzip" if many else None)
            made.attrs["units"] = units
    return path
