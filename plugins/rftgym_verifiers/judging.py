"""Calling foreign reward functions one by one, so that what goes wrong in one is known and stays its own."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from rftgym_verifiers.talk import Talk, Verdict


async def settled(call: Callable[[], Any], timeout_seconds: float) -> Any:
    """What a function gives, be it asynchronous or not; what it raises propagates."""
    value = call()
    if not inspect.isawaitable(value):
        return value
    async with asyncio.timeout(timeout_seconds):
        return await value


async def judge(
    talk: Talk, verdict: Verdict, name: str, call: Callable[[], Any], timeout_seconds: float
) -> Any:
    """Call a reward function and keep its value, or what went wrong, under a name.

    Returns:
        What the function gave; None where it failed.
    """
    talk.go_on()
    try:
        value = await settled(call, timeout_seconds)
        verdict.rewards[name] = number(value)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # its author may raise anything; all of it becomes data
        kind = "Timeout" if isinstance(error, TimeoutError) else type(error).__name__
        verdict.rewards[name] = None
        verdict.errors[name] = [kind, " ".join(str(error).split())[:500]]
        return None
    return value


def number(value: Any) -> float | None:
    """A reward as a finite number; None stays None, and several scores by name are added up.

    Raises:
        TypeError, ValueError: it is none.
    """
    if value is None:
        return None
    if isinstance(value, Mapping):
        known = [each for each in map(number, value.values()) if each is not None]
        return math.fsum(known) if len(known) == len(value) else None
    result = float(value)
    if not math.isfinite(result):
        raise ValueError(f"returned {result}, which is no finite number")
    return result
