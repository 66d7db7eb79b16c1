"""What a run cost: the summary that every run has, and the report by layer, micro-op and line."""
