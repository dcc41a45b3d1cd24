"""A process that makes an environment from its settings and plays it: ``python -m rftgym.bench.worker``.

It reads two lines of JSON. The first says what to make and to play; it is answered {"ready": true} after a first pass.
The second says for how many seconds; it is answered with what was played in them. A failure is {"failed": why}. What
others print goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any


def main() -> None:
    """Answer the two lines."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii", buffering=1)
    os.dup2(2, 1)  # so that nobody's print() ends up among the answers
    try:
        env, plays, seed = _made(json.loads(sys.stdin.readline()))
        _pass(env, plays, seed)
        answers.write(json.dumps({"ready": True}) + "\n")
        seconds = json.loads(sys.stdin.readline() or "null")
        if seconds is not None:
            answers.write(json.dumps(_worked(env, plays, seed, seconds["seconds"])) + "\n")
        env.close()
    except Exception as error:  # noqa: BLE001  # the parent says it
        answers.write(json.dumps({"failed": f"{type(error).__name__}: {error}"}) + "\n")


def _made(order: Mapping[str, Any]) -> tuple[Any, Sequence[Any], int]:
    """The environment, with the plugins that the parent has, and what to play."""
    from rftgym.bench.plays import Play
    from rftgym.config import EnvSettings, RewardSettings
    from rftgym.registry import installed, make_configured

    plugins = installed().adopt(order["plugins"])
    settings = EnvSettings.model_validate(order["env"]), RewardSettings.model_validate(order["rewards"])
    plays = [Play(split, index, tuple(completions)) for split, index, completions in order["plays"]]
    return make_configured(*settings, plugins=plugins), plays, order["seed"]


def _pass(env: Any, plays: Sequence[Any], seed: int) -> tuple[int, int]:
    """Everything once; episodes and steps."""
    from rftgym.bench.plays import played
    from rftgym.scoring import score_trajectories

    episodes = [played(env, play, seed) for play in plays]
    score_trajectories(env.rubric, episodes)
    return len(episodes), sum(len(episode.turns) for episode in episodes)


def _worked(env: Any, plays: Sequence[Any], seed: int, seconds: float) -> dict[str, float]:
    from time import monotonic

    from rftgym.bench import clock

    begun, until = clock.started(), monotonic() + seconds
    episodes, steps = _pass(env, plays, seed)
    while monotonic() < until:
        more = _pass(env, plays, seed)
        episodes, steps = episodes + more[0], steps + more[1]
    spent = clock.stopped().since(begun)
    return {"episodes": episodes, "steps": steps, "cpu": spent.cpu, "wall": spent.wall}


if __name__ == "__main__":
    main()
