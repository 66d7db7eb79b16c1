"""The one error of the machine: what is wrong with a description, a program or its execution."""


class MachineError(Exception):
    """A machine, a program or an input is unusable: what is wrong, why, and what to do.

    `note` and `remedy` are sentences of their own and may be empty.
    """

    def __init__(self, message: str, note: str = "", remedy: str = "") -> None:
        super().__init__(message, note, remedy)
        self.message = message
        self.note = note
        self.remedy = remedy

    def __str__(self) -> str:
        tail = [("note", self.note), ("help", self.remedy)]
        return "\n".join([self.message, *(f"  = {kind}: {text}" for kind, text in tail if text)])
