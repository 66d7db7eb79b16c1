"""The jitted machine, a file for each kind of micro-op; `execute` tells them apart.

`columns` names the columns of all tables; what is jitted is reached by `execute.engine` alone.
"""
