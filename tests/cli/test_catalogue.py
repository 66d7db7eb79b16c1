"""`tdsl samples`, `tdsl machines`, `tdsl explain`: what travels with the package."""

import json
from pathlib import Path

from tdsl.resources import error_pages_folder, samples_folder
from tdsl_runtime.description import machines
from tests.cli.command import tdsl_command


def test_every_sample_is_listed() -> None:
    listed = tdsl_command("samples").stdout
    samples = [f"{f.parent.name}/{f.name}" for f in samples_folder().glob("*/*.tnn")]
    assert samples
    assert all(sample in listed for sample in samples)


def test_samples_are_copied_whole_and_overwrite_nothing(tmp_path: Path) -> None:
    assert tdsl_command("samples", tmp_path / "mine").returncode == 0
    copied = {p.relative_to(tmp_path / "mine") for p in (tmp_path / "mine").rglob("*.*")}
    shipped = {p.relative_to(samples_folder()) for p in samples_folder().rglob("*.*")}
    assert copied == {p for p in shipped if "__pycache__" not in p.parts}
    again = tdsl_command("samples", tmp_path / "mine")
    assert again.returncode == 1
    assert "E0712" in again.stderr


def test_machines_are_listed_with_every_figure() -> None:
    table = tdsl_command("machines").stdout
    data = json.loads(tdsl_command("machines", "--json").stdout)
    assert [machine["name"] for machine in data["machines"]] == list(machines())
    assert all(name in table for name in machines())
    assert all({"low", "source"} <= machine["area"]["mm2"].keys() for machine in data["machines"])


def test_every_page_is_explained() -> None:
    pages = sorted(error_pages_folder().glob("*.md"))
    listed = tdsl_command("explain").stdout.splitlines()
    assert [line.partition(":")[0] for line in listed] == [page.stem for page in pages]
    shown = tdsl_command("explain", "e0703")
    assert shown.stdout == (error_pages_folder() / "E0703.md").read_text("utf-8")


def test_an_unknown_code_names_its_neighbours() -> None:
    done = tdsl_command("explain", "E07O3")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "E0703" in done.stderr


def test_the_version_is_printed() -> None:
    done = tdsl_command("--version")
    assert done.stdout.startswith("tdsl ")
    assert done.returncode == 0


def test_a_wrong_command_line_has_status_2() -> None:
    for arguments in (["explode"], ["check"], ["machines", "--jsno"]):
        done = tdsl_command(*arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
