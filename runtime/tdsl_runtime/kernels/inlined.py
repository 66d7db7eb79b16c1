"""A function that jitted functions alone call -> code for them to link in, and nothing more.

Numba would optimise and assemble every function by itself, together with all that it calls, though
the machine code of the outermost is all that ever runs. Leaving that out saves a third of the time.
"""

from importlib import import_module
from typing import Any

# Numba has no type annotations.
codegen: Any = import_module("numba.core.codegen")
compiler: Any = import_module("numba.core.compiler")
machinery: Any = import_module("numba.core.compiler_machinery")
typed: Any = import_module("numba.core.typed_passes")
untyped: Any = import_module("numba.core.untyped_passes")
make_function: Any = import_module("numba._dynfunc").make_function


class _InlinedCode(codegen.JITCodeLibrary):  # type: ignore[misc]
    """Code that others link in: optimised and assembled there."""

    def _optimize_final_module(self) -> None:
        """Leave that to the caller."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


@machinery.register_pass(mutates_CFG=True, analysis_only=False)
class _InlinedLowering(typed.NativeLowering):  # type: ignore[misc]
    _name = "inlined_lowering"

    def run_pass(self, state: Any) -> bool:
        target = state.targetctx
        state.library = _InlinedCode(target.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        typed.NativeLowering.run_pass(self, state)
        made, libraries = state.cr, (state.library,)
        module = made.fndesc.lookup_module()
        no_address = make_function(module, made.fndesc.qualname, "", 0, made.env, libraries)
        target.insert_user_function(no_address, made.fndesc, libraries)
        state.cr = made._replace(cfunc=no_address)
        return True


_PASSES = (
    untyped.TranslateByteCode,
    untyped.FixupArgs,
    untyped.IRProcessing,
    untyped.DeadBranchPrune,
    untyped.ReconstructSSA,
    typed.NopythonTypeInference,
    typed.PreLowerStripPhis,
    typed.IRLegalization,
    typed.AnnotateTypes,
    _InlinedLowering,
    typed.NoPythonBackend,
)
"""Those of Numba's passes that plain loops over arrays need."""


class InlinedCompiler(compiler.CompilerBase):  # type: ignore[misc]
    """Compiles functions that are linked into others."""

    def define_pipelines(self) -> list[Any]:
        """Give the one pipeline."""
        passes = compiler.PassManager("inlined")
        for one in _PASSES:
            passes.add_pass(one, one.__name__)
        passes.finalize()
        return [passes]
