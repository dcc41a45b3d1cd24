"""Reward functions and turns of the legacy API that go wrong, each in a way of its own."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import verifiers as vf
from datasets import Dataset


def fine(completion: Any) -> float:
    """Always the same."""
    return 1.0


def broken(completion: Any) -> float:
    """Raises where the last completion says so."""
    return 1 / (completion[-1]["content"] != "raise")


def silent(completion: Any) -> float | None:
    """Cannot say where the last completion says so."""
    return None if completion[-1]["content"] == "none" else 0.5


def wild(completion: Any) -> float:
    """No number where the last completion says so."""
    return float("nan") if completion[-1]["content"] == "nan" else 0.25


async def sleepy(completion: Any) -> float:
    """Takes long where the last completion says so."""
    await asyncio.sleep(60 if completion[-1]["content"] == "sleep" else 0)
    return 0.125


def diversity(completions: list[Any]) -> list[float]:
    """Judges a group."""
    return [float(len(set(map(str, completions))))] * len(completions)


class FaultyEnv(vf.MultiTurnEnv):
    """Goes wrong as told; leaves a mark when it is cleaned up."""

    async def env_response(self, messages: Any, state: vf.State, **kwargs: Any) -> Any:
        """Do as told."""
        said = messages[-1]["content"]
        if said == "tool error":
            raise vf.ToolCallError("the tool broke")
        if said == "bug":
            raise KeyError("bug")
        if said == "wait":
            await asyncio.sleep(60)
        if said == "block":
            time.sleep(3)  # what it must not do
        if said == "rewrite":
            state["trajectory"][-1]["completion"][-1].content = "I never said that"
            state["trajectory"][-1]["prompt"][0] = vf.UserMessage(content="Something else.")
        return [vf.UserMessage(content="Go on.")]

    @vf.cleanup
    async def mark(self, state: vf.State) -> None:
        """Say that it was cleaned up."""
        if state["info"]["marks"]:
            Path(state["info"]["marks"], str(time.perf_counter_ns())).touch()


def load_environment(group: bool = False, marks: str = "", max_turns: int = 2) -> vf.Environment:
    """The environment, as verifiers calls for it."""
    rows = [{"question": f"Task {i}", "answer": "", "info": {"marks": marks}} for i in range(20)]
    functions = [fine, broken, silent, wild, sleepy, *([diversity] if group else [])]
    return FaultyEnv(dataset=Dataset.from_list(rows), rubric=vf.Rubric(funcs=functions), max_turns=max_turns)
