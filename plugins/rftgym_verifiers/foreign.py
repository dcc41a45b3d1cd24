"""What an environment of either API offers to the adapter, and what an episode of it is."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rftgym.errors import ContractError, UsageError
from rftgym.types import Message, Task, Turn
from rftgym_verifiers.draws import Draws
from rftgym_verifiers.talk import Heard, Play, Said, Talk, Verdict

HeardT = TypeVar("HeardT", Heard, list[Heard])
LIMIT_OF_TURNS = 32
"""Of an episode whose environment has none of its own."""


@dataclass(frozen=True, slots=True)
class Source:
    """A reward function of the environment's.

    Attributes:
        name: unique among them.
        weight: as the environment weighs it; 0 makes it a metric.
    """

    name: str
    weight: float


class Foreign(ABC):
    """A loaded environment of verifiers.

    Attributes:
        name: by which verifiers finds it.
        sources: its reward functions, in the order in which they are called.
        tasks: by split.
        max_turns: of its episodes.
        draws: it was found to draw from the process's global generators.
    """

    name: str
    sources: tuple[Source, ...]
    tasks: tuple[Task, ...]
    max_turns: int = LIMIT_OF_TURNS
    draws: bool = False

    @abstractmethod
    def play(self, task: Task, timeout_seconds: float) -> Play:
        """What plays an episode on a task: a coroutine function that asks for completions."""

    def opening(self, task: Task) -> tuple[Message, ...] | None:
        """The first messages, where they are known without running anything of the environment's."""
        return None

    def answer(self, completion: str) -> Any:
        """What the environment's parser reads out of a completion; None where it finds nothing."""
        return completion.strip() or None

    def candidates(self, task: Task) -> Sequence[str]:
        """Completions that may solve a task."""
        return ()


class Episode:
    """One episode's state: the foreign code that plays it, and what was said so far.

    A copy has no running code: it is played again up to the same point when somebody goes on with it. So is an episode
    that turns out to draw from the global generators (:mod:`rftgym_verifiers.draws`).
    """

    def __init__(self, foreign: Foreign, task: Task, seed: str, timeout_seconds: float) -> None:
        self._foreign = foreign
        self._task = task
        self._seed = seed
        self._timeout_seconds = timeout_seconds
        self._talk: Talk | None = None
        self._draws: Draws | None = None
        self._opening: tuple[Message, ...] | None = None
        self._said: list[Said] = []
        self._heard: list[Heard] = []

    def open(self) -> tuple[Message, ...]:
        """The first messages.

        Raises:
            ContractError: the environment ends before it asks for a completion.
        """
        self._opening = self._foreign.opening(self._task)
        if self._opening is None:
            self._settled(lambda: self._played([]))
        return self._opening or ()

    def take(self, said: Said) -> Heard:
        """Answer a completion."""
        heard = self._settled(lambda: self._hear(said))
        self._said.append(said)
        self._heard.append(heard)
        return heard

    def end(self) -> Verdict:
        """End the episode where it is, as far as it goes on, and judge it."""
        heard = self._heard[-1] if self._heard else None
        if heard is None or heard.verdict is None:
            heard = self._settled(lambda: self._hear(None))
        if heard.verdict is None:
            raise ContractError(
                f"{self._foreign.name!r} asks for another completion although there will be none"
            )
        return heard.verdict

    def replay(self, turns: Sequence[Turn], longest: int) -> Verdict:
        """Play all turns, and judge. A completion of more than ``longest`` characters counts as an empty one."""
        for turn in turns:
            said = Said.of(turn)
            if self.take(said if len(said.text) <= longest else said._replace(text="")).verdict is not None:
                break
        return self.end()

    @property
    def turns(self) -> int:
        """How many completions were taken."""
        return len(self._said)

    def leave(self) -> None:
        """Stop the foreign code; its cleanup handlers run."""
        talk, self._talk = self._talk, None
        if talk is not None:
            talk.leave()

    def _hear(self, said: Said | None) -> Heard:
        """What the environment answers; without anything running, it is played up to here first."""
        return self._played([*self._said, said])[-1] if self._talk is None else self._talk.say(said)

    def _settled(self, act: Callable[[], HeardT]) -> HeardT:
        """Do something; again, from the start and with seeds, where it made the foreign code draw without them."""
        try:
            result = act()
        except Exception:
            if not self._drew_in_vain():
                raise
        else:
            if not self._drew_in_vain():
                return result
        self._foreign.draws = True
        self.leave()
        return act()

    def _drew_in_vain(self) -> bool:
        return self._draws is not None and self._draws.needed and not self._draws.on

    def _played(self, said: Sequence[Said | None]) -> list[Heard]:
        """Start the foreign code, say all that at once, and hear what it has to say to each."""
        self._draws = Draws(self._seed, on=self._foreign.draws)
        play = self._foreign.play(self._task, self._timeout_seconds)
        self._talk = Talk(play, self._draws, self._timeout_seconds)
        heard = self._talk.begin(said)
        if self._drew_in_vain():
            return heard
        if heard[0].verdict is not None:
            raise ContractError(f"{self._foreign.name!r} ends before it asks for a completion")
        if self._opening is None:
            self._opening = heard[0].messages
        known = [self._opening, *self._heard]
        if [heard[0].messages, *heard[1:]][: len(known)] != known:
            raise ContractError(
                f"{self._foreign.name!r} says something else when the same episode is played again, so its "
                "episodes can't be copied: it draws from something else than the modules random and numpy.random"
            )
        return heard

    def __deepcopy__(self, memo: dict[int, Any]) -> Episode:
        twin = Episode(self._foreign, self._task, self._seed, self._timeout_seconds)
        twin._opening, twin._said, twin._heard = self._opening, list(self._said), list(self._heard)
        return twin

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # of an interpreter that is about to end
            self.leave()


def unique(names: Sequence[str]) -> list[str]:
    """Names, the second of a kind with "-2" behind it."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return result


def without_groups(name: str, group_functions: Sequence[str], without: Sequence[str]) -> None:
    """Refuse reward functions that judge several episodes at a time, unless they are to be left out.

    Raises:
        UsageError: names them, and the cure.
    """
    left = [each for each in group_functions if each not in without]
    if left:
        raise UsageError(
            f"verifiers:{name}: {', '.join(left)} judges a group of rollouts together, and rftgym's rewards judge one "
            f"episode each: leave it out with env.kwargs.without={list(dict.fromkeys([*without, *left]))}"
        )
