"""The project file: TOML in, frozen models out, every fault named at once in plain words."""

from shortrange.config.models import (
    Measurement,
    Mixture,
    Model,
    MotifModel,
    Project,
    Sample,
    TotalScatteringMeasurement,
    VerdictSettings,
    XasMeasurement,
    parse_frames,
)
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
from shortrange.config.reader import read_project

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
