"""Runs one Python program as Pulumi's language host would. A stand-in; see the package's docstring.

Its own process, because a program may change anything in the process that it runs in.
"""

import asyncio
import json
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pulumi
import pulumi.runtime

_ALREADY_REPORTED = 32


def entry(program: Path) -> Path:
    """The file to run: a folder is a program by its __main__.py."""
    return program / "__main__.py" if program.is_dir() else program


def explain(error: Exception, program: Path) -> str:
    """The traceback of an error, beginning at the program: what lies above it is ours."""
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename != str(program):
        frame = frame.tb_next
    return "".join(traceback.format_exception(error.with_traceback(frame or error.__traceback__)))


async def _run(program: Path) -> None:
    await pulumi.runtime.run_in_stack(
        lambda: runpy.run_path(str(program), run_name="__main__")  # pyright: ignore[reportArgumentType]
    )


def main() -> int:
    """Run the program named on the command line; the exit status for the language host."""
    settings = json.loads(os.environ["LAB_PROGRAM_SETTINGS"])
    pulumi.runtime.set_all_config(
        pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env()
    )
    pulumi.runtime.configure(pulumi.runtime.Settings(**settings))
    program = entry(Path(sys.argv[1]).resolve())
    sys.argv = [str(program), *sys.argv[2:]]
    # The program's own folder comes first, as for any script; not the folder of this file.
    sys.path[0] = str(program.parent)
    # A failed program leaves futures that nobody waits for; only its error is worth reading.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with ThreadPoolExecutor(max_workers=max(settings["parallel"], 1) * 4) as workers:
        loop.set_default_executor(workers)
        try:
            loop.run_until_complete(_run(program))
        except pulumi.RunError as error:
            pulumi.log.error(str(error))
            return _ALREADY_REPORTED
        except Exception as error:
            pulumi.log.error(f"The program failed:\n{explain(error, program)}")
            return _ALREADY_REPORTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
