"""What every tier shares: LAB_REQUIRE=1 turns a skipped test into a failed one.

A test that needs what this machine lacks is skipped with the reason, and the reasons stand at the
end of the run. Where everything must be there, the same reason is a failure.
"""

import os
from collections.abc import Generator

import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,  # noqa: ARG001  the hook's signature
    call: pytest.CallInfo[None],  # noqa: ARG001
) -> Generator[None, "pytest.TestReport", None]:
    """Fail what would be skipped, where LAB_REQUIRE says so."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and os.environ.get("LAB_REQUIRE") == "1":
        report.outcome = "failed"
        report.longrepr = f"LAB_REQUIRE=1, but this test was skipped: {report.longrepr}"
