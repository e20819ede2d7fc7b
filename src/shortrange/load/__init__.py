"""Files in: XAS scans, scattering patterns, pair distribution functions, structures."""

from shortrange.load import (
    athena,
    beamlines,
    columns,
    hdf5,
    lammps,
    pattern,
    pattern_h5,
    pdf,
    reduced,
    structure_factor,
    structures,
    vasprun,
    xdatcar,
    xdi,
    xyz,
)
from shortrange.load.crystals import crystal_from_trajectory, load_crystal
from shortrange.load.read import (
    load,
    load_gr,
    load_iq,
    load_scans,
    load_sq,
    load_trajectory,
    open_frames,
)
from shortrange.load.registry import LOADERS, Loader, register

__all__ = [
    "LOADERS",
    "Loader",
    "crystal_from_trajectory",
    "load",
    "load_crystal",
    "load_gr",
    "load_iq",
    "load_scans",
    "load_sq",
    "load_trajectory",
    "open_frames",
    "register",
]


for _loader in (
    Loader("xdi", "xas", (".xdi", ".xxdi"), xdi.sniff_xdi, xdi.read_xdi),
    Loader("spec", "xas", (".spec",), columns.sniff_spec, columns.read_spec),
    Loader("hdf5", "xas", (".h5", ".hdf5", ".nxs"), hdf5.sniff_hdf5, hdf5.read_hdf5),
    Loader("athena", "xas", (".prj",), athena.sniff_athena, athena.read_athena),
    Loader("pf9809", "xas", (), beamlines.sniff_pf9809, beamlines.read_pf9809),
    Loader("ssrl", "xas", (), beamlines.sniff_ssrl, beamlines.read_ssrl),
    Loader("epics", "xas", (), beamlines.sniff_epics, beamlines.read_epics),
    Loader("side_by_side", "xas", (), beamlines.sniff_side_by_side, beamlines.read_side_by_side),
    Loader("columns", "xas", (".xmu", ".nor", "*"), columns.sniff_columns, columns.read_columns),
    Loader("pdfgetx", "gr", (".gr", "*"), pdf.sniff_gr, pdf.read_gr),
    Loader("pattern", "iq", (".chi", ".xy", ".xye", ".iq", "*"), pattern.sniff_iq, pattern.read_iq),
    Loader("pattern_h5", "iq", (".h5", ".hdf5", ".nxs"), pattern_h5.sniff_iq_h5, pattern_h5.read_iq_h5),
    Loader(
        "sq",
        "sq",
        (".sq", ".fq", ".mint01", ".mdcs01", "*"),
        structure_factor.sniff_sq,
        structure_factor.read_sq,
    ),
    Loader("chi_k", "chi", (".chik",), reduced.sniff_chi_k, reduced.read_chi_k),
    Loader("cif", "structure", (".cif",), structures.sniff_cif, structures.read_cif),
    Loader("extxyz", "structure", (".extxyz",), xyz.sniff_extxyz, frames_of=xyz.extxyz_frames),
    Loader("xyz", "structure", (".xyz",), xyz.sniff_xyz, frames_of=xyz.xyz_frames, options=("cell",)),
    Loader("vasprun", "structure", (), vasprun.sniff_vasprun, frames_of=vasprun.vasprun_frames),
    Loader("xdatcar", "structure", (".xdatcar",), xdatcar.sniff_xdatcar, frames_of=xdatcar.xdatcar_frames),
    Loader(
        "lammps",
        "structure",
        (".lammpstrj", ".dump"),
        lammps.sniff_lammps,
        frames_of=lammps.lammps_frames,
        options=("species",),
    ),
    Loader("ase", "structure", ("*",), lambda _: False, frames_of=structures.ase_frames),
):
    register(_loader)
