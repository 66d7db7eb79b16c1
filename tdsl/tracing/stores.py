"""The weights files that a traced network uses: opened at their first use, each with a name."""

from tdsl.frontend import syntax
from tdsl.frontend.check_files import Program, open_declared
from tdsl.frontend.values import StoreKey
from tdsl.tracing.weights import Weights, WeightsKey, declaration_of, parts_of


class OpenStores:
    """Weights files by the names of their variables; a second `P` is `P_2`."""

    def __init__(self, program: Program) -> None:
        """Take the place where opened files and their mistakes are kept."""
        self._program = program

    def name(self, weights: Weights) -> str:
        """The name of a weights file, which is opened if it has not been."""
        declared = declaration_of(weights)
        name, number = declared.name, 1
        while self._program.paths.get(name, declared.path) != declared.path:
            number += 1
            name = f"{declared.name}_{number}"
        if name not in self._program.paths:
            self._open(name, weights)
        return name

    def key(self, key: WeightsKey) -> StoreKey:
        """The array that a key names."""
        store, name = parts_of(key)
        return StoreKey(self.name(store), name)

    def _open(self, name: str, weights: Weights) -> None:
        declared = declaration_of(weights)
        path = syntax.StringLiteral(span=declared.place, value=declared.path.name)
        sha256 = declared.sha256
        pinned = None if sha256 is None else syntax.StringLiteral(span=declared.place, value=sha256)
        statement = syntax.Weights(
            span=declared.place,
            name=syntax.Identifier(span=declared.place, text=name),
            path=path,
            sha256=pinned,
        )
        self._program.paths[name] = declared.path
        self._program.files[name] = None
        self._program.files[name] = open_declared(statement, declared.path.parent, self._program)
