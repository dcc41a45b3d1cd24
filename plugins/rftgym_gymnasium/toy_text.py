"""Codecs for the environments that come with Gymnasium and need no further package."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Final

from rftgym_gymnasium.codec import Codec, WordsCodec


class FrozenLakeCodec(WordsCodec):
    """The lake as a map with the player on it."""

    actions: ClassVar[tuple[str, ...]] = ("left", "down", "right", "up")

    @cached_property
    def _rows(self) -> list[str]:
        return ["".join(cell.decode() for cell in row) for row in self.unwrapped.desc]

    @property
    def unwrapped(self) -> Any:
        """The environment without its wrappers."""
        return self.env.unwrapped

    def rules(self) -> str:
        slippery = (
            ""
            if self._sure
            else " The ice is slippery: a step may go to the side of where it was meant to go."
        )
        return (
            "Cross the frozen lake from S to the goal G without falling into a hole H; F is frozen, @ is you."
            f"{slippery} Actions: {', '.join(self.actions)}."
        )

    @cached_property
    def _sure(self) -> bool:
        return all(
            len(outcomes) == 1 for actions in self.unwrapped.P.values() for outcomes in actions.values()
        )

    def show(self, observation: Any, info: Mapping[str, Any]) -> str:
        return self._maps[int(observation)]

    @cached_property
    def _maps(self) -> list[str]:
        """What is seen from each place."""
        rows, width = self._rows, len(self._rows[0])
        seen = []
        for place in range(len(rows) * width):
            row, column = divmod(place, width)
            marked = [*rows]
            marked[row] = rows[row][:column] + "@" + rows[row][column + 1 :]
            under = {"H": "\nYou fell into a hole.", "G": "\nYou are at the goal."}.get(rows[row][column], "")
            seen.append("\n".join(marked) + under)
        return seen


class CliffWalkingCodec(WordsCodec):
    """The cliff as a map with the player on it."""

    actions: ClassVar[tuple[str, ...]] = ("up", "right", "down", "left")
    HEIGHT: Final = 4
    WIDTH: Final = 12

    def rules(self) -> str:
        return (
            "Walk from S to the goal G without stepping on the cliff C, which costs 100 and takes you back to S. A "
            f"step costs 1. @ is you. Actions: {', '.join(self.actions)}."
        )

    def show(self, observation: Any, info: Mapping[str, Any]) -> str:
        return self._maps[int(observation)]

    @cached_property
    def _maps(self) -> list[str]:
        """What is seen from each place."""
        plain = ["." * self.WIDTH] * (self.HEIGHT - 1) + ["S" + "C" * (self.WIDTH - 2) + "G"]
        seen = []
        for place in range(self.HEIGHT * self.WIDTH):
            row, column = divmod(place, self.WIDTH)
            rows = [*plain]
            rows[row] = rows[row][:column] + "@" + rows[row][column + 1 :]
            seen.append("\n".join(rows))
        return seen


class TaxiCodec(WordsCodec):
    """Who is where, as rows and columns; the map stands in the rules."""

    actions: ClassVar[tuple[str, ...]] = ("south", "north", "east", "west", "pick up", "drop off")
    STANDS: Final = (("R", 0, 0), ("G", 0, 4), ("Y", 4, 0), ("B", 4, 3))

    def rules(self) -> str:
        desc = self.env.unwrapped.desc  # type: ignore[attr-defined]
        plan = "\n".join("".join(cell.decode() for cell in row) for row in desc)
        return (
            "Drive the taxi to the passenger, pick the passenger up, drive to the destination and drop the passenger "
            "off there. A step costs 1, a wrong pick up or drop off 10. The taxi cannot pass walls, which are drawn "
            f"as |; rows count from the top and columns from the left, both from 0.\n{plan}\n"
            f"Actions: {', '.join(self.actions)}."
        )

    def show(self, observation: Any, info: Mapping[str, Any]) -> str:
        return self._scenes[int(observation)]

    @cached_property
    def _scenes(self) -> list[str]:
        """What is said of each state, of which there are 500."""
        told = []
        for state in range(int(self.env.observation_space.n)):  # type: ignore[attr-defined]  # it is discrete
            rest, destination = divmod(state, 4)
            rest, passenger = divmod(rest, 5)
            row, column = divmod(rest, 5)
            who = "in the taxi" if passenger == 4 else f"at {_stand(passenger)}"
            told.append(
                f"Taxi: row {row}, column {column}. Passenger: {who}. Destination: {_stand(destination)}."
            )
        return told


def _stand(number: int) -> str:
    letter, row, column = TaxiCodec.STANDS[number]
    return f"{letter} (row {row}, column {column})"


class BlackjackCodec(WordsCodec):
    """The sums of the cards."""

    actions: ClassVar[tuple[str, ...]] = ("stick", "hit")

    def rules(self) -> str:
        return (
            "Play a hand of Blackjack: come as near to 21 as you can, and nearer than the dealer, but not above. "
            "Number cards count their number, pictures 10, an ace 1 or 11. After you stick, the dealer draws up to 17. "
            f"Actions: {', '.join(self.actions)}."
        )

    def show(self, observation: Any, info: Mapping[str, Any]) -> str:
        mine, dealer, usable = (int(each) for each in observation)
        ace = " with an ace that counts 11" if usable else ""
        return f"Your cards: {mine}{ace}. The dealer shows {'an ace' if dealer == 1 else dealer}."


CODECS: Final[Mapping[str, type[Codec]]] = {
    "Blackjack": BlackjackCodec,
    "CliffWalking": CliffWalkingCodec,
    "CliffWalkingSlippery": CliffWalkingCodec,
    "FrozenLake": FrozenLakeCodec,
    "FrozenLake8x8": FrozenLakeCodec,
    "Taxi": TaxiCodec,
}
"""By the name of the environment, without its version."""
