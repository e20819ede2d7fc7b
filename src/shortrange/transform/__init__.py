"""Transforms between k, R and q, with errors carried."""
