"""A batch of episodes as PPO sees it: what the policy, the value head and the reference say of every token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from rftgym.updates.batches import Reference, TokenBatch, reference_logprobs, token_logprobs
from rftgym_ppo.estimates import RunningDeviation
from rftgym_ppo.value import ValueHead


@dataclass(frozen=True, slots=True)
class Experience:
    """A batch of episodes with all that an update needs to know; (B, T) float32, 0 where the model wrote nothing.

    Attributes:
        old_BT: log-probabilities under the policy that played, computed by the trainer's own forward pass.
        rewards_BT: what each token earned, KL penalty included.
        values_BT: what was expected before each token.
        advantages_BT: as the loss takes them; ``returns_BT``: what the values are to become.
    """

    batch: TokenBatch
    old_BT: Tensor
    rewards_BT: Tensor
    values_BT: Tensor
    advantages_BT: Tensor
    returns_BT: Tensor

    def rows(self, rows: Sequence[int]) -> Experience:
        """Some of the episodes, as long as the longest of them."""
        batch = self.batch.rows(rows)
        longest = batch.input_ids_BT.shape[1]
        tensors = (getattr(self, field.name)[rows, :longest] for field in fields(self)[1:])
        return Experience(batch, *tensors)


@dataclass(frozen=True, slots=True)
class Opinions:
    """What is said of a batch before an update; (B, T) float32, 0 where the model wrote nothing.

    Attributes:
        logprobs_BT, entropy_BT: of the policy, nats.
        values_BT: of the value head, before each token; ``final_B``: behind the episode's end.
        reference_BT: log-probabilities under the reference; 0 everywhere where there is none.
    """

    logprobs_BT: Tensor
    entropy_BT: Tensor
    values_BT: Tensor
    final_B: Tensor
    reference_BT: Tensor


@torch.no_grad()
def opinions(
    model: Any,
    value_head: ValueHead,
    reference: Reference | None,
    batch: TokenBatch,
    passes: Sequence[Sequence[int]],
    temperature: float,
) -> Opinions:
    """Ask the policy, the value head and the reference, in some passes over the batch's rows."""
    logprobs_BT, entropy_BT, values_BT, reference_BT = torch.zeros(
        (4, *batch.input_ids_BT.shape), device=batch.input_ids_BT.device
    )
    found = Opinions(logprobs_BT, entropy_BT, values_BT, values_BT.new_zeros(len(batch)), reference_BT)
    for rows in passes:
        part = batch.rows(rows)
        longest = part.input_ids_BT.shape[1]
        scores: Any = token_logprobs(model, part, temperature, entropy=True, hidden=True)
        found.logprobs_BT[rows, :longest] = scores.logprobs_BT
        found.entropy_BT[rows, :longest] = scores.entropy_BT
        values = value_head(scores.hidden_BTD, part.turns_BT)
        found.values_BT[rows, :longest] = values * part.model_mask_BT
        found.final_B[rows] = value_head(scores.final_BD, part.turns_BT.amax(1) + 1)
        if reference is not None:
            found.reference_BT[rows, :longest] = reference_logprobs(model, reference, part, temperature)
    return found


def normalised(payouts: Sequence[Sequence[float]], running: RunningDeviation) -> list[list[float]]:
    """Divide rewards by the deviation of all episodes' rewards so far, these included."""
    running.add([sum(by_turn) for by_turn in payouts])
    return [[reward / running.deviation for reward in by_turn] for by_turn in payouts]


def cut(payouts: Sequence[Sequence[float]], low: float, high: float) -> list[list[float]]:
    """Cut every turn's reward to a range."""
    return [[min(max(reward, low), high) for reward in by_turn] for by_turn in payouts]


def sampler_gap(gap_N: Tensor) -> dict[str, float]:
    """How far the sampler's log-probabilities are from the trainer's (nats); nothing where it recorded none."""
    known_N = gap_N[~gap_N.isnan()].abs()
    if not len(known_N):
        return {}
    return {"sampler_gap/mean": float(known_N.mean()), "sampler_gap/max": float(known_N.max())}
