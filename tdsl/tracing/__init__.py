"""Python functions -> checked networks: they are called once, on tensors that write down steps."""
