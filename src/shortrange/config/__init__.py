"""The project file: TOML in, frozen models out, every fault named at once in plain words."""

from shortrange.config.boxcar import BoxcarProject, BoxcarSettings, PhaseTable, read_boxcar
from shortrange.config.models import (
    Measurement,
    Model,
    Project,
    Sample,
    TotalScatteringMeasurement,
    VerdictSettings,
    XasMeasurement,
    parse_frames,
)
from shortrange.config.reader import read_project

__all__ = [
    "BoxcarProject",
    "BoxcarSettings",
    "Measurement",
    "Model",
    "PhaseTable",
    "Project",
    "Sample",
    "TotalScatteringMeasurement",
    "VerdictSettings",
    "XasMeasurement",
    "parse_frames",
    "read_boxcar",
    "read_project",
]
