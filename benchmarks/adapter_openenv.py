"""Throughput of `openenv:URL` against openenv's own client, used bare, on the same server.

    python benchmarks/adapter_openenv.py [--episodes 64] [--rounds 7] [--json FILE]

The server is `rftgym export openenv wordle` in a process of its own. Both sides play the same episodes with the same
answers and open a connection an episode: one after the other, and 16 at a time. Bare is a loop over `GenericEnvClient`;
ours is the rollout engine with a scripted policy, which also keeps trajectories. Rounds are interleaved. Figures are
medians of steps per second: of wall, of the client's CPU time, and of client's and server's CPU time together.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import rftgym
from rftgym.policy import ScriptedPolicy
from rftgym.rollout.engine import play
from rftgym.types import Sampling

GUESS = "<guess>crane</guess>"
AT_ONCE = 16
UNITS = ("wall", "client", "both")


async def bare_episode(url: str, index: int) -> int:
    """One episode with openenv's own client; returns its steps."""
    from openenv.core import GenericEnvClient

    async with GenericEnvClient(base_url=url) as client:
        result, steps = await client.reset(seed=index, split="train", index=index), 0
        while not result.done:
            result, steps = await client.step({"completion": GUESS}), steps + 1
        return steps


async def bare(url: str, episodes: int, at_once: int) -> int:
    """Episodes with openenv's own client; returns their steps."""
    places = asyncio.Semaphore(at_once)

    async def one(index: int) -> int:
        async with places:
            return await bare_episode(url, index)

    return sum(await asyncio.gather(*map(one, range(episodes))))


def ours(env: Any, episodes: int, at_once: int) -> int:
    """The same episodes through the engine; returns their steps."""
    policy = ScriptedPolicy(lambda messages, rng: GUESS)
    policy.max_rows = at_once
    tasks = [env.tasks.item("train", index) for index in range(episodes)]
    played = play(env, policy, Sampling(), tasks=tasks, seeds=range(episodes))
    if any(trajectory.failures for trajectory in played):
        raise RuntimeError(played[0].failures)
    return sum(len(trajectory.turns) for trajectory in played)


def cpu_of(pid: int) -> float:
    """Seconds of CPU time that another process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(run: Any, server: int) -> dict[str, float]:
    """Steps per second, by what is counted."""
    wall, cpu, served = perf_counter(), process_time(), cpu_of(server)
    steps = run()
    wall, cpu, served = perf_counter() - wall, process_time() - cpu, cpu_of(server) - served
    return {"wall": steps / wall, "client": steps / cpu, "both": steps / (cpu + served)}


def main() -> None:
    """Start the server, compare, stop it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--episodes", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    command = [sys.executable, "-m", "rftgym", "export", "openenv", "wordle", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None  # noqa: S101  # a pipe was asked for
        found = re.search(r"http://\S+", server.stdout.readline())
        if found is None:
            raise RuntimeError("the server does not start")
        try:
            results = compared(found[0], server.pid, options.episodes, options.rounds)
        finally:
            server.terminate()
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def compared(url: str, server: int, episodes: int, rounds: int) -> dict[str, Any]:
    """Interleaved rounds of both sides; prints and returns medians in steps per second."""
    env = rftgym.make(f"openenv:{url}")
    results: dict[str, Any] = {}
    for at_once in (1, AT_ONCE):
        sides = {
            "bare": lambda at_once=at_once: asyncio.run(bare(url, episodes, at_once)),
            "ours": lambda at_once=at_once: ours(env, episodes, at_once),
        }
        for side in sides.values():
            side()  # imports, first connections
        samples: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
        for number in range(rounds):
            for name in sorted(sides, reverse=bool(number % 2)):
                samples[name].append(measured(sides[name], server))
        row: dict[str, Any] = {
            f"{name} {unit}": median(sample[unit] for sample in samples[name])
            for name in sides
            for unit in UNITS
        }
        for unit in UNITS:
            row[f"bare/ours {unit}"] = row[f"bare {unit}"] / row[f"ours {unit}"]
        results[str(at_once)] = row
        print(
            f"{at_once:2} at a time: " + ", ".join(f"{name} {value:.4g}" for name, value in row.items()),
            flush=True,
        )
    env.close()
    return results


if __name__ == "__main__":
    main()
