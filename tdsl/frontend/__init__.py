"""Text -> syntax tree -> checked graph."""
