"""What the adapter knows about each class of games beside its source, and what it mends in some of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from rftgym_textarena.search import rush_hour

ENDLESS = 100
"""Moves of an episode where neither the game nor its rules say anything."""


@dataclass(frozen=True)
class Rules:
    """What the adapter knows about a class of games.

    Attributes:
        moves: valid moves that an episode may take where the game itself sets no limit.
        pays: the game's reward for all that can be won.
        won: whether an ended game was won; where none is given, one that paid all there is, and not for an
            invalid move.
        reward: the game's reward put right, where it needs that.
        key: of what was dealt, where deals are so few that two splits would share them.
        fair: whether what was dealt can be won.
        fixed: the game is always the same, whatever the seed.
        refuses: why a move that the game would take is none.
        mended: its state is given what it lacks.
        ordered: it collects the moves of one answer in a set, so that they are made in an order that differs
            between processes; here they are made in the order in which they were written.
    """

    moves: Callable[[Any], int] = lambda game: ENDLESS
    pays: float = 1.0
    won: Callable[[Any], bool] | None = None
    reward: Callable[[Any, float], float] | None = None
    key: Callable[[Any], Any] | None = None
    fair: Callable[[Any], bool] | None = None
    fixed: bool = False
    refuses: Callable[[str], str | None] | None = None
    mended: bool = False
    ordered: bool = False


def _state(name: str) -> Callable[[Any], Any]:
    return lambda game: game.state.game_state[name]


def _more_wins_than_losses(game: Any) -> bool:
    results = game.state.game_state["results_summary"]
    return bool(results["win"] > results["lose"])


def _even_permutation(game: Any) -> bool:
    """Half of all boards of the 15-puzzle cannot be ordered."""
    cells = [tile for row in game.board for tile in row]
    tiles = [tile for tile in cells if tile is not None]
    swaps = sum(a > b for i, a in enumerate(tiles) for b in tiles[i + 1 :])
    return bool((swaps + cells.index(None) // 4) % 2)


def _board_number(game: Any) -> int:
    return next(i for i, board in enumerate(game.game_board_data) if board["clue"] is game.clues)


def _unsolved_and_solvable(game: Any) -> bool:
    """After twenty attempts a game of RushHour takes what it has, solved or stuck."""
    return next(rush_hour(game, Random(0)), None) is not None


def _regret_is_a_loss(game: Any, reward: float) -> float:
    """Bandit pays the regret: 0 for the best button, more for a worse one."""
    return reward if game.state.game_info[0]["invalid_move"] else 1.0 - reward


def _one_card_twice(move: str) -> str | None:
    """Set takes one card three times for a set, and breaks where it is the last one of the board."""
    cards = re.findall(r"\d+", move.partition("[")[2].partition("]")[0])
    return "A set is of three different cards." if len(set(map(int, cards))) < len(cards) else None


RULES: dict[str, Rules] = {
    "BanditEnv": Rules(reward=_regret_is_a_loss),
    "BlackjackEnv": Rules(moves=lambda game: 10 * game.num_hands, won=_more_wins_than_losses),
    "CountdownEnv": Rules(fixed=True, mended=True),
    "CrosswordsEnv": Rules(ordered=True),
    "CryptarithmEnv": Rules(fixed=True, mended=True),
    "FifteenPuzzleEnv": Rules(fair=_even_permutation, mended=True),
    "FrozenLakeEnv": Rules(key=_state("grid")),
    "Game2048Env": Rules(moves=lambda game: 50 + game.target_tile // 2),
    "GuessTheNumberEnv": Rules(key=_state("game_number")),
    "HangmanEnv": Rules(key=_state("target_word"), moves=lambda game: 40),
    "KlondikeEnv": Rules(pays=52.0),
    "LightsOutEnv": Rules(reward=lambda game, reward: max(reward, 0.0)),
    "LogicPuzzleEnv": Rules(key=_board_number, ordered=True),
    "MastermindEnv": Rules(key=_state("secret_code")),
    "PegJumpEnv": Rules(fixed=True, moves=lambda game: 13),
    "RushHourEnv": Rules(fair=_unsolved_and_solvable),
    "SetEnv": Rules(pays=20.0, refuses=_one_card_twice),
    "SlitherlinkEnv": Rules(won=lambda game: bool(game._is_solved()), mended=True),
    "ThreeCardMonteEnv": Rules(moves=lambda game: 1, mended=True),
    "TowerOfHanoiEnv": Rules(fixed=True),
    "WordSearchEnv": Rules(ordered=True),
    "WordleEnv": Rules(key=_state("secret_word"), moves=lambda game: game.num_guesses),
}
"""By the name of the game's class."""


def mend(state: Any) -> None:
    """Give a game's state what the games expect of it.

    Some hand over (reward, reason) where it takes (reason, reward), so that players are told a number and paid a
    sentence; the 15-puzzle calls a method that only states of several players have, and breaks when it is won.
    """
    usual = state.set_invalid_move
    state.set_invalid_move = _ToldApart(usual)
    if not hasattr(state, "set_winners"):
        state.set_winners = _Won(state)


@dataclass
class _ToldApart:
    """``set_invalid_move``, its first two arguments told apart by their kinds. An object, so that it can be copied."""

    usual: Callable[..., None]

    def __call__(self, reason: Any = None, reward: Any = -1.0) -> None:
        if isinstance(reward, str):
            reason, reward = reward, reason
        self.usual(reason=reason, reward=reward)


@dataclass
class _Won:
    state: Any

    def __call__(self, player_ids: Any = None, reason: str | None = None) -> None:
        self.state.set_outcome(reward=1, reason=reason)
