"""Rewards and parsers that fit any environment. Hook implementations only."""

from __future__ import annotations

from rftgym import ParserSpec, RewardSpec, hookimpl


@hookimpl
def rftgym_rewards() -> list[RewardSpec]:
    """Components to add with ``--reward ID=WEIGHT``."""
    return [
        RewardSpec("brevity", "rftgym_rewards.rewards:brevity", "Shorter completions are better"),
        RewardSpec("no-repetition", "rftgym_rewards.rewards:no_repetition", "Saying things once is better"),
        RewardSpec(
            "well-formed", "rftgym_rewards.rewards:well_formed", "Completions follow the answer format"
        ),
    ]


@hookimpl
def rftgym_parsers() -> list[ParserSpec]:
    """The framework's own parsers, by id."""
    return [
        ParserSpec("tag", "rftgym.parser:TagParser", "The answer stands between <answer> and </answer>"),
        ParserSpec("text", "rftgym.parser:TextParser", "The whole completion is the answer"),
    ]
