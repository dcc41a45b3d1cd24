"""Sums: a single-turn environment of the legacy API, with an evaluation set and an answer in tags."""

from __future__ import annotations

from typing import Any

import verifiers as vf
from datasets import Dataset


def rows(first: int, n: int) -> Dataset:
    """Sums of neighbours, from ``first`` on."""
    numbers = range(first, first + n)
    questions = [f"What is {i} + {i + 1}?" for i in numbers]
    infos = [{"operands": [i, i + 1]} for i in numbers]
    return Dataset.from_dict(
        {"question": questions, "answer": [str(2 * i + 1) for i in numbers], "info": infos}
    )


def load_environment(n: int = 60, system_prompt: str = "Answer in <answer></answer> tags.") -> vf.Environment:
    """The environment, as verifiers calls for it."""
    parser = vf.XMLParser(["answer"], answer_field="answer")

    def correct(completion: Any, answer: str, parser: vf.Parser, **kwargs: Any) -> float:
        return float(parser.parse_answer(completion) == answer)

    async def odd(completion: Any, info: dict[str, Any]) -> float:
        return sum(info["operands"]) % 2

    def length(completion: Any, state: vf.State) -> float:
        return float(len(completion[-1]["content"]))

    rubric = vf.Rubric(funcs=[correct, odd, length], weights=[1.0, 0.25, 0.0], parser=parser)
    rubric.add_reward_func(parser.get_format_reward_func(), weight=0.5)
    return vf.SingleTurnEnv(
        dataset=rows(0, n),
        eval_dataset=rows(1000, 20),
        system_prompt=system_prompt,
        parser=parser,
        rubric=rubric,
    )
