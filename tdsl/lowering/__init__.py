"""Graph -> micro-ops: selection, placement, scheduling, allocation, emission."""
