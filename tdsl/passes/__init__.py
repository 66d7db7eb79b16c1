"""Passes: a valid network in, a valid network with the same outputs out."""
