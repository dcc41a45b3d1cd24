"""What this plugin adds to rftgym.

rftgym imports this module whenever it starts, so it only names things; the modules behind the entry points are imported
when somebody uses them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rftgym import EnvSpec, PolicySpec, RewardSpec, TrainerSpec, hookimpl

if TYPE_CHECKING:
    from rftgym.runs.directory import RunDirectory


@hookimpl
def rftgym_environments() -> Sequence[EnvSpec]:
    """The environment ``sort-digits``: ``--env sort-digits``."""
    return [
        EnvSpec(
            id="sort-digits",
            entry_point="rftgym_example.env:SortDigitsEnv",
            summary="Put the digits of a number in ascending order",
            gymnasium_id="rftgym/SortDigits-v0",
            default_model="tiny-mixed",
            train_defaults={"sampling.max_tokens": 32},
        )
    ]


@hookimpl
def rftgym_rewards() -> Sequence[RewardSpec]:
    """The reward ``no-shouting``: ``--reward no-shouting=0.1`` adds it to any environment."""
    return [
        RewardSpec(
            id="no-shouting",
            entry_point="rftgym_example.reward:no_shouting",
            summary="Share of the words that are not all capitals",
        )
    ]


@hookimpl
def rftgym_trainers() -> Sequence[TrainerSpec]:
    """The trainer ``best-of-group``: ``--trainer best-of-group``."""
    return [
        TrainerSpec(
            id="best-of-group",
            entry_point="rftgym_example.trainer:BestOfGroup",
            summary="Learns to say what the best episode of each group said",
        )
    ]


@hookimpl
def rftgym_policies() -> Sequence[PolicySpec]:
    """The policy ``prompt-parrot``: ``--model prompt-parrot``."""
    return [
        PolicySpec(
            id="prompt-parrot",
            entry_point="rftgym_example.policy:PromptParrot",
            summary="Says what the prompt's words suggest: a baseline",
        )
    ]


@hookimpl
def on_evaluate(run: RunDirectory, step: int, evaluation: Mapping[str, Any]) -> None:
    """Append each evaluation to the run's ``held-out.tsv``, for a spreadsheet."""
    success = evaluation["success"]
    with (run.path / "held-out.tsv").open("a", encoding="utf-8") as file:
        file.write(f"{step}\t{success['mean']}\t{success['low']}\t{success['high']}\n")
