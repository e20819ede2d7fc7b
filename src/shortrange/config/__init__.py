"""The project file: TOML in, frozen models out, every fault named at once in plain words."""

from shortrange.config.measurements import Measurement, Sample, TotalScatteringMeasurement, XasMeasurement
from shortrange.config.models import Mixture, Model, MotifModel
from shortrange.config.path_fit import PathFitProject, read_path_fit
from shortrange.config.phases import (
    BoxcarProject,
    BoxcarSettings,
    PhaseProject,
    PhaseTable,
    RefineProject,
    RefineSettings,
    read_boxcar,
    read_refine,
)
from shortrange.config.project import Project, VerdictSettings
from shortrange.config.reader import read_project
from shortrange.config.values import parse_frames

__all__ = [
    "BoxcarProject",
    "BoxcarSettings",
    "Measurement",
    "Mixture",
    "Model",
    "MotifModel",
    "PathFitProject",
    "PhaseProject",
    "PhaseTable",
    "Project",
    "RefineProject",
    "RefineSettings",
    "Sample",
    "TotalScatteringMeasurement",
    "VerdictSettings",
    "XasMeasurement",
    "parse_frames",
    "read_boxcar",
    "read_path_fit",
    "read_project",
    "read_refine",
]
