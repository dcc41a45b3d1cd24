"""What this plugin adds to rftgym: an environment, a reward for any environment, and a listener to runs.

rftgym imports this module whenever it starts, so it only names things; the modules behind the entry points are imported
when somebody uses them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rftgym import EnvSpec, RewardSpec, hookimpl

if TYPE_CHECKING:
    from rftgym.runs.directory import RunDirectory


@hookimpl
def rftgym_environments() -> Sequence[EnvSpec]:
    """The environment ``sort-digits``."""
    return [
        EnvSpec(
            id="sort-digits",
            entry_point="rftgym_example.env:SortDigitsEnv",
            summary="Put the digits of a number in ascending order",
            gymnasium_id="rftgym/SortDigits-v0",
        )
    ]


@hookimpl
def rftgym_rewards() -> Sequence[RewardSpec]:
    """The reward ``calm``: ``--reward calm=0.1`` adds it to any environment."""
    return [
        RewardSpec(
            id="calm", entry_point="rftgym_example.rewards:calm", summary="1 without exclamation marks"
        )
    ]


@hookimpl
def on_evaluate(run: RunDirectory, step: int, evaluation: Mapping[str, Any]) -> None:
    """Append each evaluation to the run's ``held-out.tsv``, for a spreadsheet."""
    success = evaluation["success"]
    with (run.path / "held-out.tsv").open("a", encoding="utf-8") as file:
        file.write(f"{step}\t{success['mean']}\t{success['low']}\t{success['high']}\n")
