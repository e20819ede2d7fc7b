"""Evidence, odds and the verdict."""
