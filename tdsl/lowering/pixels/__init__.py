"""The pixel-packed organisation: row programs -> row micro-ops."""
