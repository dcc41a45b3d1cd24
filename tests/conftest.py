"""Under CI a skipped test is a failure: what a test needs has to be installed. Only a missing GPU is excused."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

EXCUSED = "needs a GPU"

# A busy machine makes any example slow, and the first one pays for imports: time is pytest-timeout's business.
settings.register_profile("rftgym", deadline=None)
settings.load_profile("rftgym")


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    expected_failure = hasattr(report, "wasxfail")
    if not os.environ.get("CI") or report.outcome != "skipped" or expected_failure:
        return
    where = report.longrepr
    reason = str(where[2] if isinstance(where, tuple) else where)
    if EXCUSED not in reason:
        report.outcome = "failed"
        report.longrepr = (
            f"{reason}\n(CI is set: a test may not be skipped, except for a reason with '{EXCUSED}')"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """Turn a test's skip into a failure."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    """The same for a module that skips itself."""
    report = yield
    _refuse_skip(report)
    return report
