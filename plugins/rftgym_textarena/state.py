"""The state of a game for one player, as TextArena keeps it, save what nobody here reads.

TextArena's own files the player's words among the observations, with tags of roles cut out, though the player knows
them; keeps a log of everything; and is begun in loops over players, of whom there is one. That took a fifth of an
episode of GuessTheNumber, and the log would go into every snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from textarena import GAME_ID, ObservationType, SinglePlayerState

from rftgym_textarena.isolation import DICE

KNOWN = "0.7.4"
"""The release whose state :class:`SoloState` was read off: with any other, games have TextArena's own."""
_PROMPT, _OWN_WORDS = ObservationType.PROMPT, ObservationType.PLAYER_ACTION


class SoloState(SinglePlayerState):  # type: ignore[misc, unused-ignore]  # TextArena has no types
    """TextArena's ``SinglePlayerState`` without the player's own words and the log, begun in fewer steps."""

    def __init__(
        self,
        num_players: int,
        seed: int | None = None,
        max_turns: int | None = None,
        error_allowance: int | None = 1,
    ) -> None:
        if seed is not None:
            DICE.seed(seed)
        self.num_players, self.current_player_id = num_players, 0
        self.max_turns, self.error_allowance = max_turns, error_allowance

    def reset(
        self,
        game_state: dict[str, Any] | None = None,
        player_prompt_function: Callable[..., str] | None = None,
        **given: Any,
    ) -> None:
        """Begin, with what the game asks the player; roles are TextArena's own business."""
        if given:
            super().reset(game_state, player_prompt_function, **given)
            return
        self.game_state, self.role_mapping = game_state, {0: "Player", GAME_ID: "GAME"}
        self.turn, self.done, self.rewards = 0, False, None
        self.error_count, self.made_invalid_move = 0, False
        self.step_info: dict[str, Any] = {}
        self.game_info = {0: {"role": "Player 0", "invalid_move": False, "turn_count": 0}}
        self.observations: dict[int, list[Any]] = {0: []}
        self.logs: list[Any] = []
        if player_prompt_function is not None:
            self.add_observation(player_prompt_function(player_id=0, game_state=game_state), _PROMPT)

    def add_observation(
        self, message: str, observation_type: Any, from_id: int = GAME_ID, to_id: int = -1
    ) -> None:
        """File what the game says."""
        if observation_type is not _OWN_WORDS:
            self.observations[to_id if to_id > 0 else 0].append((from_id, message, observation_type))


def is_known() -> bool:
    """Whether this is the release whose state :class:`SoloState` stands in for."""
    return version("textarena") == KNOWN
