"""RLOO: REINFORCE on whole episodes, each judged against the mean reward of its group's other episodes.

The update is TRL's (``trl.RLOOTrainer``), since it is the paper's: an episode is one action, and its log-probability
the sum over the model's tokens. That trainer knows neither played episodes nor environment tokens; ``trl_bridge.py``
brings both: log-probabilities of the environment's tokens are 0 in every sum, while the model still attends to them.

What differs from the paper (Ahmadian et al., arXiv:2402.14740):
- a batch may be used for several optimizer steps, with the ratio of the episode's probabilities clipped as in PPO; with
  ``minibatches`` and ``iterations`` at 1, as by default, the ratio is 1 and the gradient is the paper's;
- the KL penalty in the reward is off unless ``beta`` is set: some dozens of steps of LoRA stay near their start;
- an episode that cannot be scored has no part in the baseline, and no advantage;
- dropout is refused, for the ratio is between two passes that should differ by the update only.
"""

from __future__ import annotations

from pydantic import Field

from rftgym.trainer import TrainContext
from rftgym.updates.groups import GroupSettings, GroupTrainer, own_settings


class RLOOSettings(GroupSettings):
    """Settings of the algorithm, besides those of every trainer that learns from groups.

    Attributes:
        beta: weight in the reward of the KL divergence to the policy that training started from.
        epsilon: the ratio's clip range is [1 - epsilon, 1 + epsilon].
        normalize_advantages: bring the batch's advantages to mean 0 and deviation 1.
    """

    beta: float = Field(0.0, ge=0)
    epsilon: float = Field(0.2, gt=0)
    normalize_advantages: bool = False


class RLOO(GroupTrainer):
    """REINFORCE with a leave-one-out baseline."""

    Config = RLOOSettings

    def train(self, context: TrainContext) -> int:
        """Run the configured number of optimizer steps on tasks of the train split."""
        from rftgym_rloo.trl_bridge import run_rloo

        return run_rloo(context, own_settings(context, RLOOSettings))
