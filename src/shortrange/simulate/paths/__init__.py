"""Scattering paths as Artemis uses them, from feffNNNN.dat files or FEFF8L runs, and their chi(k)."""

from shortrange.simulate.paths.debye import correlated_debye, einstein
from shortrange.simulate.paths.feff_dat import read_feff_dat
from shortrange.simulate.paths.path import PATH_PARAMETERS, ScatteringPath, path_chi
from shortrange.simulate.paths.runs import path_of_geometry, paths_of_cluster, paths_of_structure

__all__ = [
    "PATH_PARAMETERS",
    "ScatteringPath",
    "correlated_debye",
    "einstein",
    "path_chi",
    "path_of_geometry",
    "paths_of_cluster",
    "paths_of_structure",
    "read_feff_dat",
]
