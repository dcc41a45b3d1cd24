"""The other process of :mod:`rftgym.conformance.processes`, run with -m: an order on stdin, an answer on stdout."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any

from rftgym.config import EnvSettings, RewardSettings
from rftgym.conformance.playing import digest, task_digest, transcript
from rftgym.plugins import Plugins
from rftgym.registry import installed, make, make_configured, make_reward


def answer(order: dict[str, Any]) -> dict[str, Any]:
    """Play what the order says, and tell of it."""
    from rftgym.conformance.playing import SEEDS
    from rftgym.conformance.processes import TASKS

    sys.path[:0] = order["paths"]
    plugins = installed().adopt(order["plugins"])
    if "reward" in order:
        return _valued(order, plugins)

    def again() -> Any:
        settings, rewards = EnvSettings(**order["env"]), RewardSettings(**order["rewards"])
        return make_configured(settings, rewards, plugins=plugins)

    lines = {str(seed): transcript(again(), seed, order["completions"]) for seed in SEEDS}
    return {
        "tasks": task_digest(again().tasks, TASKS),
        "episodes": {seed: digest(each) for seed, each in lines.items()},
        "lines": lines,
    }


def _valued(order: dict[str, Any], plugins: Plugins) -> dict[str, Any]:
    from rftgym.conformance.component import values

    env = make(order["on"], plugins=plugins)
    env.rubric = env.rubric.changed(add=[make_reward(order["reward"], 1.0, plugins=plugins)])
    return {"values": values(env, order["name"], order["task"], order["completions"])}


def main() -> None:
    """Read an order, print the answer; what the environment prints goes to standard error."""
    with contextlib.redirect_stdout(sys.stderr):
        told = answer(json.load(sys.stdin))
    print(json.dumps(told))  # noqa: T201  # the answer to the process that asked


if __name__ == "__main__":
    main()
