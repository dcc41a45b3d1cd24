"""The same episodes in other processes, where the environment is made again from its spec."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from rftgym.conformance.findings import Finding, finding
from rftgym.conformance.playing import SEEDS, digest, task_digest, transcript
from rftgym.conformance.subject import Subject
from rftgym.errors import PluginError

HASH_SEEDS = ("1", "2")
TASKS = 40
"""Of each split whose ids are compared."""
LEAST_SECONDS = 20.0


def check_processes(subject: Subject) -> Iterator[Finding]:
    """Ids and episodes of two fresh Python processes with other hash seeds, next to this one's."""
    if subject.settings is None:
        subject.notes.left_out.append(
            "other processes: an environment that was not made by an id cannot be made there"
        )
        return
    try:
        order = json.dumps(_order(subject))
    except (PluginError, TypeError, ValueError) as error:
        yield finding("not-remakeable", f"its spec cannot be sent to another process: {error}", "the plugin")
        return
    here = played(subject)
    for hash_seed in subject.in_time("other processes", HASH_SEEDS):
        there = asked(subject, order, hash_seed)
        if isinstance(there, str):
            yield finding(
                "not-remakeable", f"it cannot be made in another process: {there}", "a fresh process"
            )
            return
        if there is not None:
            yield from _compared(here, there, f"PYTHONHASHSEED={hash_seed}")


def played(subject: Subject) -> dict[str, Any]:
    """What is compared: ids of tasks, and each episode's observations, as digests with its first lines."""
    lines = {str(seed): transcript(subject.make(), seed, subject.completions) for seed in SEEDS}
    return {
        "tasks": task_digest(subject.make().tasks, TASKS),
        "episodes": {seed: digest(each) for seed, each in lines.items()},
        "lines": lines,
    }


def _order(subject: Subject) -> dict[str, Any]:
    settings, rewards = subject.settings, subject.rewards
    return {
        "env": None if settings is None else settings.model_dump(mode="json"),
        "rewards": {} if rewards is None else rewards.model_dump(mode="json"),
        "plugins": [] if subject.plugins is None else subject.plugins.portable(),
        "paths": list(subject.paths),
        "completions": list(subject.completions),
    }


def asked(subject: Subject, order: str, hash_seed: str) -> dict[str, Any] | str | None:
    """What another process answers; a text that says why it cannot, None where it is not done in time."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "rftgym.conformance.elsewhere"],
            input=order,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=max(LEAST_SECONDS, subject.clock.left),
            check=False,
        )
    except subprocess.TimeoutExpired as error:  # on a busy machine that is nobody's fault
        subject.notes.left_out.append(f"other processes: no answer within {error.timeout:.0f} s")
        return None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        return said[-1][-300:] if said else f"it ended with code {done.returncode}"
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _compared(here: Mapping[str, Any], there: Mapping[str, Any], where: str) -> Iterator[Finding]:
    if here["tasks"] != there["tasks"]:
        yield finding("ids-unstable", "another process has other tasks, or the same under other ids", where)
    for seed, mine in here["episodes"].items():
        if there["episodes"][seed] == mine:
            continue
        pairs = zip(here["lines"][seed], there["lines"][seed], strict=False)
        number, one, other = next(
            ((n, a, b) for n, (a, b) in enumerate(pairs) if a != b), (0, "its length", "its length")
        )
        yield finding(
            "other-process-differs",
            f"the episode from reset(seed={seed}) differs at line {number}: {one:.120} and {other:.120}",
            where,
        )
