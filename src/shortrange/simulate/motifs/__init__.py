"""Motifs built from distances and angles: an octahedron, and two that share a corner, an edge or a face."""

from shortrange.simulate.motifs.build import Motif, motif
from shortrange.simulate.motifs.contacts import Contact, closest_contacts, find_clashes
from shortrange.simulate.motifs.distances import Distance, known_distances, typical_angle, typical_distance
from shortrange.simulate.motifs.hypothesis import MotifHypothesis, Structural, motif_hypothesis

__all__ = [
    "Contact",
    "Distance",
    "Motif",
    "MotifHypothesis",
    "Structural",
    "closest_contacts",
    "find_clashes",
    "known_distances",
    "motif",
    "motif_hypothesis",
    "typical_angle",
    "typical_distance",
]
