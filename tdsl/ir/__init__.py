"""The graph: the checked, exact meaning of a network, free of any machine."""
