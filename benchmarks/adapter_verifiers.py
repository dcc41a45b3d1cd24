"""Episodes of verifiers' environments per CPU-second: through rftgym, and along verifiers' own paths.

    python -m venv other && other/bin/pip install -e . verifiers==0.3.1      (and another one with verifiers==0.4.0)
    PYTHONPATH=tests/foreign other/bin/python benchmarks/adapter_verifiers.py

The policy answers at once and always the same, on all sides. rftgym's side plays and scores whole episodes, turn by
turn. verifiers' is ``run_rollout``, which plays and scores one, ``generate``, its door for many at a time, and the bare
``rollout`` followed by ``score_rollout``. The contestants take turns in one process, so that a noisy machine hits all
of them alike. Each counts the CPU seconds of all its threads; printed are medians of the rounds and of their ratios.

verifiers 0.4 has no way to play an episode but to start a harness in a process that calls the model over HTTP. All that
is left out here: what is compared with is nothing but the scoring of a trace that is there already.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import platform
import statistics
import time
from collections.abc import Callable, Coroutine
from importlib.metadata import version
from typing import Any

REPLIES = {"legacy_sums": "<answer>3</answer>", "legacy_guess": "50", "v1_sums": "3", "v1_guess": "50"}
"""What the policy says, by environment of tests/foreign."""
WARM_UP = 1
"""Rounds that don't count."""
Contestant = Callable[[], None]


def rftgym_plays(env: Any, tasks: list[Any], reply: str) -> Contestant:
    """Whole episodes through rftgym: start, advance, score."""
    from rftgym.scoring import score_trajectories
    from rftgym.types import Turn

    def play() -> None:
        trajectories = []
        for seed, task in enumerate(tasks):
            twin = env.spawn()
            twin.start(task, seed)
            while not (twin.trajectory.terminated or twin.trajectory.truncated):
                twin.advance(Turn((), reply))
            trajectories.append(twin.trajectory)
        score_trajectories(env.rubric, trajectories)
        if any(each.reward is None for each in trajectories):
            raise SystemExit(f"an episode was not scored: {trajectories[0].failures}")

    return play


def scripted_client(reply: str) -> Any:
    """A client of the legacy API whose model always says the same."""
    from verifiers.clients import Client
    from verifiers.types import Response, ResponseMessage

    class Scripted(Client):  # type: ignore[misc]  # of a package without types
        async def get_response(self, prompt: Any, model: str, *args: Any, **kwargs: Any) -> Any:
            message = ResponseMessage(content=reply, finish_reason="stop", is_truncated=False)
            return Response(id="", created=0, model=model, message=message)

        async def _nothing(self, *args: Any) -> None: ...

        def setup_client(self, config: Any) -> None: ...

        to_native_tool = to_native_prompt = get_native_response = raise_from_native_response = _nothing
        from_native_response = close = _nothing

    return Scripted(None)


def legacy_paths(env: Any, tasks: list[Any], reply: str) -> dict[str, Contestant]:
    """verifiers' own ways to play and score, up to 0.3.1."""
    foreign, client, loop = env.foreign.env, scripted_client(reply), asyncio.new_event_loop()
    rows = [dict(task.data) for task in tasks]

    async def run_rollout() -> None:
        for row in rows:
            await foreign.run_rollout(row, client, "model", {})

    async def generate() -> None:
        await foreign.generate(rows, client, "model", on_start=lambda *_: None, on_progress=[])

    async def rollout_and_score() -> None:
        for row in rows:
            state = await foreign.rollout(row, client, "model", {})
            await foreign.rubric.score_rollout(state)

    def driven(path: Callable[[], Coroutine[Any, Any, None]]) -> Contestant:
        return lambda: loop.run_until_complete(path())

    return {path.__name__: driven(path) for path in (run_rollout, generate, rollout_and_score)}


def scoring_only(env: Any, tasks: list[Any], reply: str) -> dict[str, Contestant]:
    """verifiers 0.4: a trace as an episode of one turn leaves it, scored by the task."""
    import verifiers.v1 as vf

    foreign, loop = env.foreign, asyncio.new_event_loop()

    async def trace_and_score() -> None:
        for each in tasks:
            task = foreign._own(each)
            of_task = vf.TraceTask(type=type(task).__name__, data=task.data, key=task.key, hash=task.hash)
            trace = vf.Trace(task=of_task, agent=vf.AgentInfo(config=foreign.env.config.agent))
            for message in (vf.UserMessage(content=task.data.prompt), vf.AssistantMessage(content=reply)):
                sampled = isinstance(message, vf.AssistantMessage)
                trace.nodes.append(
                    vf.MessageNode(parent=0 if sampled else None, message=message, sampled=sampled)
                )
            await task.score(trace)

    return {"trace_and_score": lambda: loop.run_until_complete(trace_and_score())}


def measured(name: str, episodes: int, rounds: int) -> dict[str, Any]:
    """Medians of one environment's contestants, and their ratios to rftgym."""
    import rftgym

    env = rftgym.make(f"verifiers:{name}")
    tasks = env.tasks.sample("train", episodes, 0)
    reply = REPLIES[name]
    contestants = {"rftgym": rftgym_plays(env, tasks, reply)}
    if name.startswith("legacy"):
        contestants |= legacy_paths(env, tasks, reply)
    elif env.max_turns == 1:
        contestants |= scoring_only(env, tasks, reply)
    rates: dict[str, list[float]] = {each: [] for each in contestants}
    for _ in range(rounds + WARM_UP):
        for each, play in contestants.items():
            before = time.process_time()
            play()
            rates[each].append(episodes / (time.process_time() - before))
    medians = {each: statistics.median(values[WARM_UP:]) for each, values in rates.items()}
    ratios = {
        each: statistics.median(
            [
                theirs / ours
                for theirs, ours in zip(rates[each][WARM_UP:], rates["rftgym"][WARM_UP:], strict=True)
            ]
        )
        for each in medians
        if each != "rftgym"
    }
    return {"turns": env.max_turns, "episodes_per_cpu_second": medians, "times_rftgym": ratios}


def main() -> None:
    """Measure what this interpreter's verifiers can load, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "environments", nargs="*", help="by default those that the installed release can load"
    )
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    legacy = importlib.util.find_spec("verifiers.rubrics") is not None
    known = [name for name in REPLIES if name.startswith("legacy" if legacy else "v1")]
    found = {name: measured(name, options.episodes, options.rounds) for name in options.environments or known}
    result = {"verifiers": version("verifiers"), "python": platform.python_version(), "environments": found}
    if options.json:
        print(json.dumps(result, indent=2))
        return
    for name, each in found.items():
        print(f"{name}, verifiers {result['verifiers']}, at most {each['turns']} turns")
        for contestant, rate in each["episodes_per_cpu_second"].items():
            ratio = each["times_rftgym"].get(contestant)
            print(
                f"  {contestant:<18}{rate:8.0f} episodes per CPU-second"
                + (f", {ratio:.2f} x rftgym" if ratio else "")
            )


if __name__ == "__main__":
    main()
