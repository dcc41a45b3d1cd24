"""From rewards and values to advantages and losses: PPO's arithmetic, free of models.

Tensors are (B episodes, T tokens), float32, and mean something at model tokens only; they are 0 elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor


def token_rewards(payouts: Sequence[Sequence[float]], turns_BT: Tensor) -> Tensor:
    """Each turn's reward at the last token that the model wrote in that turn.

    The reward of a turn without tokens falls to the token before it, or, where there is none, to the model's first.

    Args:
        payouts: by episode, one number a turn (:meth:`rftgym.Rubric.payouts`).
        turns_BT: int64; the turn of each model token, -1 elsewhere. Each episode has a model token.
    Returns:
        float32 (B, T); row b sums to ``sum(payouts[b])``.
    """
    rewards_BT = torch.zeros(turns_BT.shape, dtype=torch.float32)
    for row, (paid, turns) in enumerate(zip(payouts, turns_BT.tolist(), strict=True)):
        last = {turn: place for place, turn in enumerate(turns) if turn >= 0}
        here = next(place for place, turn in enumerate(turns) if turn >= 0)
        for turn, reward in enumerate(paid):
            here = last.get(turn, here)
            rewards_BT[row, here] += reward
    return rewards_BT.to(turns_BT.device)


def gae(
    rewards: Sequence[float], values: Sequence[float], *, gamma: float, lam: float, bootstrap: float = 0.0
) -> list[float]:
    """Generalised advantage estimates over one episode's model tokens.

    ``advantage[t] = sum over k >= t of (gamma * lam)**(k - t) * delta[k]``, with
    ``delta[k] = rewards[k] + gamma * values[k + 1] - values[k]``.

    Args:
        rewards: what each token earned; ``values``: what was expected before it; same length.
        gamma: discount a token; ``lam``: 1 trusts the rewards alone, 0 the next value alone.
        bootstrap: the value behind the last token; 0 where nothing more can be earned.
    Source: Schulman et al., arXiv:1506.02438, equation 16.
    """
    advantages: list[float] = []
    following, value_after = 0.0, bootstrap
    for reward, value in zip(reversed(rewards), reversed(values), strict=True):
        following = reward + gamma * value_after - value + gamma * lam * following
        value_after = value
        advantages.append(following)
    return advantages[::-1]


def token_advantages(
    rewards_BT: Tensor,
    values_BT: Tensor,
    mask_BT: Tensor,
    bootstrap_B: Tensor,
    *,
    gamma: float,
    lam: float,
) -> Tensor:
    """:func:`gae` of every episode; what the environment wrote is no step, so the model's next token follows its last.

    Args:
        mask_BT: bool; the model's tokens. ``bootstrap_B``: value behind each episode's end.
    Returns:
        float32 (B, T).
    """
    advantages_BT = torch.zeros_like(rewards_BT)
    for row, mask_T in enumerate(mask_BT):
        found = gae(
            rewards_BT[row, mask_T].tolist(),
            values_BT[row, mask_T].tolist(),
            gamma=gamma,
            lam=lam,
            bootstrap=float(bootstrap_B[row]),
        )
        advantages_BT[row, mask_T] = torch.tensor(found, dtype=torch.float32, device=rewards_BT.device)
    return advantages_BT


def whitened(values_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """Shifted and scaled to mean 0 and deviation 1 over the model's tokens; all 0 where they are all alike.

    Alike to a millionth of the largest: what the mean of equal numbers is rounded by is no advantage.
    """
    known = values_BT[mask_BT]
    spread = known.std(correction=0)
    if spread <= 1e-6 * known.abs().max():
        return torch.zeros_like(values_BT)
    return (values_BT - known.mean()) / (spread + 1e-8) * mask_BT


def token_weights(mask_BT: Tensor, mean: Literal["token", "sequence"]) -> Tensor:
    """What each token counts in a mean over a minibatch; they sum to 1.

    "token": every token the same. "sequence": every episode the same, and in it every token.
    """
    if mean == "token":
        return mask_BT / mask_BT.sum()
    return mask_BT / mask_BT.sum(1, keepdim=True).clamp(min=1) / len(mask_BT)


def policy_losses(
    logprobs_BT: Tensor, old_BT: Tensor, advantages_BT: Tensor, *, epsilon: float, epsilon_high: float
) -> tuple[Tensor, Tensor]:
    """The clipped surrogate of every token, and where the clip has taken the gradient away (bool).

    Source: Schulman et al., arXiv:1707.06347, equation 7, with the sign turned; two-sided clip as in DAPO,
    arXiv:2503.14476.
    """
    ratio_BT = (logprobs_BT - old_BT).exp()
    plain_BT = ratio_BT * advantages_BT
    clipped_BT = ratio_BT.clamp(1.0 - epsilon, 1.0 + epsilon_high) * advantages_BT
    return -torch.minimum(plain_BT, clipped_BT), clipped_BT < plain_BT


def value_losses(values_BT: Tensor, old_BT: Tensor, returns_BT: Tensor, *, clip: float | None) -> Tensor:
    """Half the squared error of every token's value.

    With ``clip``, the larger of that and of the error of a value that moved by at most ``clip`` since the update began:
    once further away, a value gets no gradient that takes it further still.

    Source: openai/baselines ppo2; Huang et al., "The 37 Implementation Details of PPO" (2022), detail 9.
    """
    errors_BT = (values_BT - returns_BT).square()
    if clip is not None:
        held_BT = old_BT + (values_BT - old_BT).clamp(-clip, clip)
        errors_BT = torch.maximum(errors_BT, (held_BT - returns_BT).square())
    return 0.5 * errors_BT


def divergence(logprobs: Tensor, other: Tensor) -> Tensor:
    """By token, an estimate of KL(p || q) from tokens drawn from p: never negative, unbiased.

    Args:
        logprobs: of the tokens under p; ``other``: under q.
    Source: Schulman, "Approximating KL divergence" (2020), the estimator k3.
    """
    return torch.expm1(other - logprobs) - (other - logprobs)


def explained_variance(values: Tensor, returns: Tensor) -> float:
    """1 for values that foresee every return, 0 for a constant, below 0 for worse; 0 where returns are all alike."""
    spread = float(returns.var(correction=0))
    return 1.0 - float((returns - values).var(correction=0)) / spread if spread > 0 else 0.0


@dataclass
class RunningDeviation:
    """Mean and deviation of all numbers seen so far (Welford), in float64."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, numbers: Sequence[float]) -> None:
        """Take more numbers in."""
        for number in numbers:
            self.count += 1
            gap = number - self.mean
            self.mean += gap / self.count
            self.squares += gap * (number - self.mean)

    @property
    def deviation(self) -> float:
        """Population deviation; 1 while fewer than two numbers, or equal ones only, were seen."""
        return math.sqrt(self.squares / self.count) if self.count > 1 and self.squares > 0 else 1.0


def adapted_coefficient(coefficient: float, kl: float, target: float, gain: float) -> float:
    """The KL penalty's next coefficient: up where the policy is further off than the target, down where it is nearer.

    Source: Ziegler et al., arXiv:1909.08593, section 2.2: the relative error is cut to 20%, ``gain`` is their 0.1.
    """
    return coefficient * (1.0 + gain * min(max(kl / target - 1.0, -0.2), 0.2))
