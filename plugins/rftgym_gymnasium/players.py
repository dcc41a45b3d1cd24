"""Players that know the rules, for solutions: the best policy over a transition table, and basic strategy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

Player = Callable[[Any], Any]
"""From an observation to an action."""
DISCOUNT: Final = 0.999
SWEEPS: Final = 5000


def player_of(unwrapped: Any) -> Player | None:
    """A player for an environment that is one of Gymnasium's toy-text ones, or has a transition table like theirs."""
    if type(unwrapped).__name__ == "BlackjackEnv":
        return basic_strategy
    table = getattr(unwrapped, "P", None)
    if not isinstance(table, dict) or not table:
        return None
    policy = best_policy(table)
    return lambda observation: int(policy[int(observation)])


def best_policy(table: dict[int, dict[int, list[tuple[float, int, float, bool]]]]) -> np.ndarray:
    """The best action in each state, by value iteration.

    Args:
        table: by state and action, the outcomes: probability, next state, reward, whether that ends the episode.
    Returns:
        int64 (states,).
    Source: Bellman 1957; as in Sutton and Barto, Reinforcement Learning, 2nd edition, section 4.4.
    """
    states, actions = len(table), len(table[0])
    move_SAS, gain_SA = np.zeros((states, actions, states)), np.zeros((states, actions))
    for state, choices in table.items():
        for action, outcomes in choices.items():
            for chance, after, reward, over in outcomes:
                gain_SA[state, action] += chance * reward
                if not over:
                    move_SAS[state, action, after] += chance
    value_S = np.zeros(states)
    for _ in range(SWEEPS):
        value_SA = gain_SA + DISCOUNT * move_SAS @ value_S
        best_S = value_SA.max(axis=1)
        if np.abs(best_S - value_S).max() < 1e-9:
            break
        value_S = best_S
    best: np.ndarray = value_SA.argmax(axis=1)
    return best


def basic_strategy(observation: Any) -> int:
    """Stick (0) or hit (1), as the table for an endless deck has it where one may do nothing else."""
    mine, dealer, usable = (int(each) for each in observation)
    if usable:
        return int(mine < 18 or (mine == 18 and dealer in (1, 9, 10)))
    if mine >= 17 or mine <= 11:
        return int(mine <= 11)
    return int(dealer not in (4, 5, 6) if mine == 12 else dealer in (1, 7, 8, 9, 10))
