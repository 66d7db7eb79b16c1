"""The machine: instruction set, description, interpreter, simulator. Knows no compiler."""
