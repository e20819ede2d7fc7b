"""Files in: XAS scans, scattering patterns, pair distribution functions, structures."""

from shortrange.load import athena, columns, pattern, pdf, structures, vasprun, xdatcar, xdi
from shortrange.load.registry import (
    LOADERS,
    Loader,
    load,
    load_gr,
    load_iq,
    load_scans,
    load_trajectory,
    register,
)

__all__ = ["LOADERS", "Loader", "load", "load_gr", "load_iq", "load_scans", "load_trajectory", "register"]


for _loader in (
    Loader("xdi", "xas", (".xdi", ".xxdi"), xdi.sniff_xdi, xdi.read_xdi),
    Loader("spec", "xas", (".spec",), columns.sniff_spec, columns.read_spec),
    Loader("athena", "xas", (".prj",), athena.sniff_athena, athena.read_athena),
    Loader("columns", "xas", (".xmu", ".nor", "*"), columns.sniff_columns, columns.read_columns),
    Loader("pdfgetx", "gr", (".gr", "*"), pdf.sniff_gr, pdf.read_gr),
    Loader("pattern", "iq", (".chi", ".xy", ".xye", ".iq", "*"), pattern.sniff_iq, pattern.read_iq),
    Loader("cif", "structure", (".cif",), structures.sniff_cif, structures.read_cif),
    Loader("extxyz", "structure", (".extxyz",), structures.sniff_extxyz, structures.read_extxyz),
    Loader("xyz", "structure", (".xyz",), structures.sniff_xyz, structures.read_xyz),
    Loader("vasprun", "structure", (), vasprun.sniff_vasprun, vasprun.read_vasprun),
    Loader("xdatcar", "structure", (".xdatcar",), xdatcar.sniff_xdatcar, xdatcar.read_xdatcar),
    Loader("ase", "structure", ("*",), lambda _: False, structures.read_ase),
):
    register(_loader)
