"""Trajectories in the layout that TRL takes: flat lists, one row an episode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rftgym.types import Trajectory

if TYPE_CHECKING:
    from torch import Tensor


def laid_out(trajectories: Sequence[Trajectory]) -> dict[str, list[Any]]:
    """Trajectories in TRL's layout: one prompt and one flat completion each.

    Returns:
        lists over trajectories: "prompt_ids"; "completion_ids", "env_mask" (1 = sampled by the model) and "logprobs"
        (0.0 at the environment's tokens; NaN where the policy recorded nothing), the latter three of equal lengths. A
        trajectory without tokens (it failed before the first completion) becomes one masked token, and a prompt
        without any (it could not be put into tokens) one token, since TRL wants as many rows as it asked for.
    """
    rows: dict[str, list[Any]] = {"prompt_ids": [], "completion_ids": [], "env_mask": [], "logprobs": []}
    for trajectory in trajectories:
        completion: list[int] = []
        mask: list[int] = []
        logprobs: list[float] = []
        for index, turn in enumerate(trajectory.turns):
            if index:
                completion += turn.prompt_ids
                mask += [0] * len(turn.prompt_ids)
                logprobs += [0.0] * len(turn.prompt_ids)
            completion += turn.completion_ids
            mask += [1] * len(turn.completion_ids)
            logprobs += turn.logprobs or (float("nan"),) * len(turn.completion_ids)
        prompt = trajectory.turns[0].prompt_ids if trajectory.turns else ()
        rows["prompt_ids"].append(list(prompt) or [0])
        rows["completion_ids"].append(completion or [0])
        rows["env_mask"].append(mask or [0])
        rows["logprobs"].append(logprobs or [0.0])
    return rows


def by_token(trajectory: Trajectory, by_turn: Sequence[float]) -> list[float]:
    """A turn's advantage at each of its tokens, in the layout of :func:`laid_out`; empty for an unscorable episode."""
    tokens: list[float] = []
    for index, (turn, advantage) in enumerate(zip(trajectory.turns, by_turn, strict=bool(by_turn))):
        tokens += [0.0] * (len(turn.prompt_ids) if index else 0) + [advantage] * len(turn.completion_ids)
    return tokens


def padded(rows: Sequence[Sequence[float]]) -> Tensor:
    """Rows of numbers as one tensor (rows x the longest), filled up with 0 at the right; int64 where all are whole."""
    import torch

    return torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
