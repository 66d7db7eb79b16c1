"""Pictures and arrays: files -> input arrays of a network, and its outputs -> files."""
