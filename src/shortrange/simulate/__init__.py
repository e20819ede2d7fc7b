"""Simulated measurements from atomistic snapshots: G(r) by pair histograms, EXAFS by FEFF path tables."""
