"""Guess a number: a multi-turn environment of the legacy API that draws from the process's global generators."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import verifiers as vf
from datasets import Dataset


def found(state: vf.State) -> float:
    """Whether the number was named."""
    return float(state["found"])


async def speed(state: vf.State) -> float:
    """More for fewer turns."""
    return 1.0 / len(state["trajectory"])


class GuessEnv(vf.MultiTurnEnv):
    """The number is drawn when an episode begins, and hints come with a mood."""

    async def setup_state(self, state: vf.State) -> Any:
        """Draw the number."""
        state["number"] = random.randint(1, 100)
        state["found"] = False
        return state

    async def env_response(self, messages: Any, state: vf.State, **kwargs: Any) -> Any:
        """Say higher or lower; the last word where it was found."""
        said = messages[-1]["content"]
        mood = ["Hm", "Well", "So"][int(np.random.randint(3))]  # noqa: NPY002  # as foreign code does
        try:
            guess = int(said.strip())
        except ValueError:
            return [{"role": "user", "content": f"{mood}, that is no number."}]
        if guess == state["number"]:
            state["found"] = True
            state["final_env_response"] = [{"role": "user", "content": "Found."}]
            return []
        hint = "higher" if guess < state["number"] else "lower"
        return [{"role": "user", "content": f"{mood}, {hint}."}]

    @vf.stop
    async def gave_up(self, state: vf.State) -> bool:
        """The policy said so."""
        return (
            bool(state["trajectory"]) and "give up" in (state["trajectory"][-1]["completion"][-1]["content"])
        )


def load_environment(n: int = 30, max_turns: int = 8) -> vf.Environment:
    """The environment, as verifiers calls for it."""
    prompts = [[{"role": "user", "content": f"Game {i}: guess my number from 1 to 100."}] for i in range(n)]
    dataset = Dataset.from_dict({"prompt": prompts, "answer": [""] * n})
    return GuessEnv(
        dataset=dataset, rubric=vf.Rubric(funcs=[found, speed], weights=[1.0, 0.1]), max_turns=max_turns
    )
