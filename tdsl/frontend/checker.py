"""Syntax tree -> checked networks, with every diagnostic of the file. Never imports Numba."""

from dataclasses import replace
from pathlib import Path

from tdsl.diagnostics import CompileError, Diagnostic
from tdsl.frontend import syntax
from tdsl.frontend.check_blocks import call_block
from tdsl.frontend.check_calls import run_call, run_pipe
from tdsl.frontend.check_files import Program, declare
from tdsl.frontend.check_golden import check_golden
from tdsl.frontend.check_networks import check_network
from tdsl.frontend.check_schedules import with_schedules
from tdsl.frontend.check_statements import failed
from tdsl.frontend.checked import CheckedModule, CheckedNetwork
from tdsl.frontend.context import Build, Context, FileScope
from tdsl.frontend.graph_builder import GraphBuilder
from tdsl.frontend.parser import parse, read_source
from tdsl.frontend.reports import Rejected, Reports
from tdsl.frontend.stores import Stores

__all__ = ["CheckedModule", "CheckedNetwork", "check_module", "load"]


def load(path: Path, *, require_weights: bool = True) -> CheckedModule:
    """Read, parse and check one file. Raises CompileError with every diagnostic found."""
    text = read_source(path)
    module, mistakes = parse(text, str(path))
    return check_module(
        module, path.parent, require_weights=require_weights, syntax_errors=mistakes
    )


def check_module(
    module: syntax.Module,
    directory: Path,
    *,
    require_weights: bool = True,
    syntax_errors: tuple[Diagnostic, ...] = (),
) -> CheckedModule:
    """Check a parsed file; paths in it are relative to `directory`.

    Weights files are opened and every array used is validated. Without `require_weights` a file
    that is not there is no mistake, and the arrays it would hold are left out. Raises
    CompileError with `syntax_errors` and all further diagnostics.
    """
    reports = Reports(list(syntax_errors))
    program = Program(reports, lambda scope: _context(scope, program))
    scope = declare(module, directory, program, opened=((directory / module.file).resolve(),))
    target = _target(module, reports)
    networks = _networks(scope, program, target)
    networks = with_schedules(module, networks, scope, reports)
    networks = _with_checks(module, networks, scope, program)
    if require_weights and not reports.diagnostics:
        reports.diagnostics.extend(program.missing)
    if reports.diagnostics:
        raise CompileError(reports.diagnostics, program.sources)
    return CheckedModule(module.file, networks, program.sources)


def _context(scope: FileScope, program: Program) -> Context:
    return Context(
        file=scope,
        build=Build(Stores(program.files), program.reports, GraphBuilder()),
        run_pipe=run_pipe,
        run_call=run_call,
        call_block=call_block,
    )


def _networks(scope: FileScope, program: Program, target: str | None) -> dict[str, CheckedNetwork]:
    networks: dict[str, CheckedNetwork] = {}
    for name, network in scope.networks.items():
        if program.reports.enough:
            break
        c = _context(scope, program)
        try:
            checked = check_network(network, c, target)
            networks[name] = replace(checked, stores=program.paths)
        except Rejected:
            continue
        except Exception as error:
            failed(c, network.name.span, error)
    return networks


def _with_checks(
    module: syntax.Module,
    networks: dict[str, CheckedNetwork],
    scope: FileScope,
    program: Program,
) -> dict[str, CheckedNetwork]:
    checked = dict(networks)
    for declaration in module.declarations:
        if not isinstance(declaration, syntax.Check) or program.reports.enough:
            continue
        c = _context(scope, program)
        try:
            found = check_golden(declaration, networks, c)
        except Rejected:
            continue
        except Exception as error:
            failed(c, declaration.span, error)
            continue
        if found is not None:
            name, golden = found
            checked[name] = replace(checked[name], checks=(*checked[name].checks, golden))
    return checked


def _target(module: syntax.Module, reports: Reports) -> str | None:
    targets = [d for d in module.declarations if isinstance(d, syntax.Target)]
    for extra in targets[1:]:
        reports.reject(
            "E0209",
            "a file names one target",
            extra.name.span,
            "this is another one",
            helps=("`--machine` on the command line chooses another machine",),
        )
    return targets[0].path.value if targets else None
