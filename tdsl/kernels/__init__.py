"""Kernels: Python functions on images, read from their source, never run -> row programs."""
