"""The machine: instruction set, description, interpreter and simulator. Knows nothing of the compiler."""
