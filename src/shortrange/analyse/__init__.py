"""What snapshots contain: shells, connectivity, distortion, transport, topology, pathways."""
