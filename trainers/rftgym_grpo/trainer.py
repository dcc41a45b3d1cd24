"""GRPO: sample a group of episodes for each task, push towards the better ones of each group.

The update is TRL's (``trl.GRPOTrainer``); everything around it is ours: which tasks, with which seeds, how episodes
are played (token-exactly, multi-turn, with environment tokens masked out), how they are scored, and what is recorded.

What differs from the paper (DeepSeekMath, arXiv:2402.03300), by default:
- loss "dr_grpo" without dividing by the group's deviation (Dr. GRPO, arXiv:2503.20783): no bias towards short right
  answers or towards groups that are nearly unanimous;
- the upper clip is wider than the lower one (0.28 and 0.2; DAPO, arXiv:2503.14476);
- the KL term is off unless ``beta`` is set: with LoRA and some dozens of steps the policy stays near its start by
  itself;
- in an environment of several turns, credit is given by turn: a turn is judged by the rewards from it on, against the
  group's mean of those at the same turn (return-to-go, as in REINFORCE; for GRPO see arXiv:2505.11821). With
  ``credit="episode"`` every turn shares the episode's advantage, as in the paper;
- an episode that cannot be scored has no part in the update (nor in its KL and entropy terms), nor in its group's
  mean;
- dropout is refused, for the ratio is between two passes that should differ by the update only.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

from pydantic import Field

from rftgym.trainer import TrainContext
from rftgym.updates.groups import GroupSettings, GroupTrainer, own_settings

Loss = Literal["grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo", "luspo", "vespo", "gspo"]


class GRPOSettings(GroupSettings):
    """Settings of the algorithm, besides those of every trainer that learns from groups.

    Attributes:
        loss: "gspo" is "grpo" with one importance ratio a sequence (arXiv:2507.18071).
        importance: one importance ratio per token or per sequence.
        scale_rewards: advantages are divided by the deviation of their group, of the batch, or not at all.
        credit: what a turn's advantage is taken from: the rewards from that turn on, or the whole episode's. With
            "turn", ``reward_clip`` cuts the rewards from a turn on.
        beta: weight of the KL divergence to the policy that training started from.
        epsilon, epsilon_high: the ratio's clip range is [1 - epsilon, 1 + epsilon_high]; "cispo" cuts at the upper end
            only, "sapo" and "vespo" have ways of their own.
        entropy_coefficient: weight of the entropy bonus. It is a mean over the tokens of a forward pass, as is the loss
            "bnpo": with either of the two, and with no other setting, ``micro_batch`` has a say in the update.
        mask_truncated: episodes that were cut off, by a limit of turns or in the middle of their last completion, take
            no part in the update; they do in their group's mean.
    """

    loss: Loss = "dr_grpo"
    importance: Literal["token", "sequence"] = "token"
    scale_rewards: Literal["none", "group", "batch"] = "none"
    credit: Literal["turn", "episode"] = "turn"
    beta: float = Field(0.0, ge=0)
    epsilon: float = Field(0.2, gt=0)
    epsilon_high: float = Field(0.28, gt=0)
    entropy_coefficient: float = Field(0.0, ge=0)
    mask_truncated: bool = False


class GRPO(GroupTrainer):
    """Group-relative policy optimisation."""

    Config = GRPOSettings

    def train(self, context: TrainContext) -> int:
        """Run the configured number of optimizer steps on tasks of the train split."""
        from rftgym_grpo.trl_bridge import run_grpo

        return run_grpo(context, own_settings(context, GRPOSettings))


def advantages(
    payouts: Sequence[Sequence[float] | None],
    group_size: int,
    *,
    credit: Literal["turn", "episode"],
    scale: Literal["none", "group", "batch"],
    clip: tuple[float, float] | None = None,
) -> list[list[float]]:
    """How much better each turn went than its group's mean.

    Args:
        payouts: by episode, group after group, the reward paid out at each turn; None = cannot be scored.
        group_size: episodes a group.
        credit: "turn": the return is the sum of rewards from a turn on, and the mean is over the episodes of the
            group that have that turn. "episode": every turn's return is the whole sum, and the mean is over all of
            them.
        scale: divide by the (unbiased) deviation + 1e-4 of the returns that the mean is over, of those of the whole
            batch, or not at all.
        clip: returns are cut to this range first.

    Returns:
        By episode, one advantage a turn; an empty list for an episode that cannot be scored.

    Source: DeepSeekMath, arXiv:2402.03300, sections 4.1.2 and 4.1.3; Dr. GRPO, arXiv:2503.20783, for "none".
    """
    returns = [None if paid is None else _returns(paid, credit, clip) for paid in payouts]
    result: list[list[float]] = [[] for _ in payouts]
    known = [value for row in returns if row for value in (row if credit == "turn" else row[:1])]
    batch_deviation = _deviation(known)
    for first in range(0, len(returns), group_size):
        group = [(i, row) for i in range(first, first + group_size) if (row := returns[i]) is not None]
        for turn in range(max((len(row) for _, row in group), default=0)):
            here = [(i, row[turn]) for i, row in group if turn < len(row)]
            compared = [value for _, value in here] if credit == "turn" else [row[0] for _, row in group]
            mean = math.fsum(compared) / len(compared)
            divisor = {"none": 1.0, "group": _deviation(compared) + 1e-4, "batch": batch_deviation + 1e-4}[
                scale
            ]
            for i, value in here:
                result[i].append((value - mean) / divisor)
    return result


def _returns(paid: Sequence[float], credit: str, clip: tuple[float, float] | None) -> list[float]:
    to_go = list(accumulate(reversed(paid)))[::-1]
    values = to_go if credit == "turn" else [to_go[0]] * len(paid)
    return values if clip is None else [min(max(value, clip[0]), clip[1]) for value in values]


def _deviation(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0
