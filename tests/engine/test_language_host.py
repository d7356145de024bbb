"""Programs and dynamic resources run in the Python that Pulumi.yaml names, with both hosts.

The lab's own CLI has a stand-in for Pulumi's language host; a CLI that was installed as Pulumi's
site says has the real one. The stand-in is held here to what the real one does.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

from lab.common.paths import PROJECT
from lab.programs import language_host
from tests.engine import dynamic_program
from tests.engine.engine import Engine
from tests.engine.stack import pulumi_cli

pytestmark = pytest.mark.engine

_MAIN = """\
from tests.engine.dynamic_program import program

program()
"""
_KIND = "pulumi-python:dynamic:Resource"
_HERE = {"program": sys.prefix, "provider": sys.prefix}


def _stand_ins(folder: Path) -> Path:
    cli = folder / "bin" / "pulumi"
    cli.parent.mkdir(parents=True)
    language_host.put_beside(cli)
    return cli.parent


def _pulumis_own() -> Path:
    name = language_host.EXECUTABLES[0]
    folders = [str(pulumi_cli().parent), *os.environ.get("PATH", os.defpath).split(os.pathsep)]
    for folder in filter(None, folders):
        found = shutil.which(name, path=folder)
        if found and not language_host.is_stand_in(Path(found)):
            return Path(folder)
    pytest.skip(f"no {name} of Pulumi's own on PATH; the stand-in was tested")


@pytest.fixture(params=["stand-in", "Pulumi's own"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """An engine that finds this language host first."""
    is_stand_in = request.param == "stand-in"
    folder = _stand_ins(tmp_path / "cli") if is_stand_in else _pulumis_own()
    engine = Engine(tmp_path / "engine", [folder])
    # The program and its provider are modules of this project, whose folder is not the program's.
    engine.environment["PYTHONPATH"] = str(PROJECT)
    return engine


def test_a_dynamic_resource_of_an_inline_program_has_the_tests_own_python(engine: Engine):
    stack = engine.stack("test", program=dynamic_program.program, arguments={"text": "a"})
    assert stack.up().or_fail().operations(_KIND) == {"create": 1}
    assert stack.outputs() == _HERE
    assert stack.preview().or_fail().operations() == {}
    stack.refresh().or_fail()
    stack.arguments = {"text": "b"}
    assert stack.up().or_fail().operations(_KIND) == {"update": 1}
    assert stack.destroy().or_fail().operations(_KIND) == {"delete": 1}


def test_a_program_that_the_language_host_runs_has_the_python_that_the_project_names(
    engine: Engine,
):
    stack = engine.stack("test", program=dynamic_program.program)
    (stack.work_dir / "__main__.py").write_text(_MAIN)
    stack.pulumi("up", "--yes", "--skip-preview")
    assert stack.outputs() == _HERE
    stack.pulumi("preview", "--expect-no-changes")
    stack.pulumi("destroy", "--yes", "--skip-preview")
