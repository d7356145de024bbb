"""Having the SDK wait for each registration once, and not for all outputs again and again."""

import asyncio
from typing import Any, cast

from pulumi.runtime import stack as sdk
from pulumi.runtime.settings import SETTINGS

_wait_for_all = sdk.wait_for_rpcs


def wait_for_registrations_first() -> None:
    """Let the end of the program wait for its requests to the engine before it looks at outputs.

    There the SDK awaits the requests on its list one after the other, and then all outputs
    together, again for each that is there (pulumi 3.259, pulumi/runtime/stack.py,
    `wait_for_rpcs`). A registration comes onto that list only in the next turn of the event loop
    (pulumi/runtime/rpc_manager.py, `do_rpc`). So the list is empty when a program ends that has
    only declared, and its registrations are waited for in the second way, which takes two thirds
    of the program's time with 300 nodes and grows with the square of their number. There is no
    switch.
    """
    sdk.wait_for_rpcs = _wait_for_requests_first


async def _wait_for_requests_first(*arguments: Any, **options: Any) -> None:
    """Wait until every request on the list is done, then as the SDK does.

    One that fails does not end the first wait: the SDK would end the program at it, and
    `--continue-on-error` leave undone what has nothing to do with it.
    """
    await asyncio.sleep(0)
    requests = cast(list[asyncio.Future[Any]], SETTINGS.rpc_manager.rpcs)  # type: ignore[attr-defined]
    done = 0
    while done < len(requests):
        await asyncio.wait([requests[done]])
        done += 1
    await _wait_for_all(*arguments, **options)
