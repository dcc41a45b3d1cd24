"""Between an environment of Gymnasium and text: what an observation says, and which action a text means.

A codec of your own derives from :class:`Codec`; ``codec="my_module:MyCodec"`` (or ``./my_codec.py:MyCodec``) takes it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import gymnasium
import numpy as np
from gymnasium import spaces

from rftgym.errors import UsageError

WRITTEN: Final = (spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary, spaces.Text, spaces.Box)
"""Kinds of spaces whose values are written as numbers or text."""
LARGEST_BOX: Final = 64
"""Numbers that an observation may hold and still be told in words."""
_LISTED: Final = 1024
"""Discrete actions up to which each one's number is looked up and not parsed."""
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"[+-]?([0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?")
_SEPARATORS: Final = re.compile(r"[\s,;]+")


class Illegal(Exception):
    """The text means no action; the message says to the player why."""


class Codec(ABC):
    """Tells observations and reads actions.

    Args:
        env: made already; shared by all episodes, so only what never changes may be read off it.

    Raises:
        UsageError: the codec is not for such an environment.
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        self.env = env

    @abstractmethod
    def rules(self) -> str:
        """What is to be done, and the actions that there are; said once, before the first observation."""

    @abstractmethod
    def show(self, observation: Any, info: Mapping[str, Any]) -> str:
        """An observation in words."""

    @abstractmethod
    def read(self, text: str) -> Any:
        """The action that a text means.

        Raises:
            Illegal: it means none.
        """

    @abstractmethod
    def write(self, action: Any) -> str:
        """A text that means an action."""


class WordsCodec(Codec):
    """Base of codecs for discrete actions with names.

    Attributes:
        actions: the name of each action, in the order of their numbers. The number is read as well.
    """

    actions: ClassVar[tuple[str, ...]] = ()

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        if not isinstance(env.action_space, spaces.Discrete) or env.action_space.n != len(self.actions):
            raise UsageError(
                f"{type(self).__name__} knows the actions {', '.join(self.actions)}; the environment has "
                f"{env.action_space}"
            )
        self._number = {name: number for number, name in enumerate(self.actions)}
        self._number.update({str(number): number for number in range(len(self.actions))})

    def read(self, text: str) -> int:
        """The number of an action, by its name or number."""
        number = self._number.get(text)
        if number is None:
            number = self._number.get(" ".join(text.lower().strip(" .!'\"").split()))
        if number is None:
            raise Illegal(f"The actions are {', '.join(self.actions)}.")
        return number

    def write(self, action: Any) -> str:
        return self.actions[int(action)]


class SpacesCodec(Codec):
    """For any environment, from its spaces: numbers in, numbers out.

    Raises:
        UsageError: the actions or observations are of a kind that numbers and words do not tell.
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        space = env.action_space
        if not isinstance(space, WRITTEN):
            raise UsageError(f"actions of {space} cannot be read from text; pass codec='module:Class'")
        if isinstance(space, spaces.Box) and _size(space) > LARGEST_BOX:
            raise UsageError(
                f"actions of {_size(space)} numbers are too many to write; pass codec='module:Class'"
            )
        _check_told(env.observation_space)
        self._actions, self._observations = (
            space,
            env.observation_space,
        )  # wrappers pass each question on, one by one
        self._numbers: dict[str, Any] = {}
        if isinstance(space, spaces.Discrete) and space.n <= _LISTED:
            self._numbers = {
                str(number): number for number in range(int(space.start), int(space.start + space.n))
            }

    def rules(self) -> str:
        return f"Play {_name(self.env)}. An action is {_described(self.env.action_space)}."

    def show(self, observation: Any, info: Mapping[str, Any]) -> str:
        return told(self._observations, observation)

    def read(self, text: str) -> Any:
        number = self._numbers.get(text)
        if number is not None:
            return number
        space = self._actions
        try:
            action = _read(space, text)
        except ValueError as error:
            raise Illegal(f"An action is {_described(space)}.") from error
        if action not in space:
            raise Illegal(f"An action is {_described(space)}.")
        return action

    def write(self, action: Any) -> str:
        return told(self._actions, action)


def _name(env: gymnasium.Env[Any, Any]) -> str:
    return env.spec.id if env.spec is not None else type(env.unwrapped).__name__


def _size(space: spaces.Space[Any]) -> int:
    return int(np.prod(space.shape or (1,)))


def _check_told(space: spaces.Space[Any]) -> None:
    """Whether an observation of this space can be told.

    Raises:
        UsageError: it cannot.
    """
    if isinstance(space, spaces.Tuple):
        parts = list(space.spaces)
    elif isinstance(space, spaces.Dict):
        parts = list(space.spaces.values())
    else:
        if isinstance(space, WRITTEN) and not (isinstance(space, spaces.Box) and _size(space) > LARGEST_BOX):
            return
        raise UsageError(f"observations of {space} cannot be told in words; pass codec='module:Class'")
    for part in parts:
        _check_told(part)


def told(space: spaces.Space[Any], value: Any) -> str:
    """A value of a space in words; numbers to four digits."""
    if isinstance(space, spaces.Dict):
        return "\n".join(f"{name}: {told(part, value[name])}" for name, part in space.spaces.items())
    if isinstance(space, spaces.Tuple):
        return ", ".join(told(part, each) for part, each in zip(space.spaces, value, strict=True))
    if isinstance(space, spaces.Text):
        return str(value)
    if isinstance(space, spaces.Box):
        return " ".join([f"{number:.4g}" for number in np.asarray(value).ravel().tolist()])
    if isinstance(value, int):
        return str(int(value))
    return " ".join([str(int(number)) for number in np.asarray(value).ravel().tolist()])


def _described(space: spaces.Space[Any]) -> str:
    if isinstance(space, spaces.Discrete):
        return f"a number from {int(space.start)} to {int(space.start + space.n - 1)}"
    if isinstance(space, spaces.MultiDiscrete):
        low, high = space.start.ravel(), (space.start + space.nvec - 1).ravel()
        return f"{low.size} whole numbers, from {' '.join(map(str, low))} up to {' '.join(map(str, high))}"
    if isinstance(space, spaces.MultiBinary):
        return f"{_size(space)} digits, each 0 or 1, with spaces between"
    if isinstance(space, spaces.Text):
        return f"a text of {space.min_length} to {space.max_length} characters"
    if isinstance(space, spaces.Box):
        least, most = (
            " ".join(f"{number:.4g}" for number in each.ravel()) for each in (space.low, space.high)
        )
        return f"{'a number' if _size(space) == 1 else f'{_size(space)} numbers'} between {least} and {most}"
    return f"a value of {space}"


def _read(space: spaces.Space[Any], text: str) -> Any:
    """A value that a text means, perhaps outside of the space.

    Raises:
        ValueError: it means none.
    """
    if isinstance(space, spaces.Text):
        return text
    words = [word for word in _SEPARATORS.split(text.strip(" []()\n\t")) if word]
    pattern = _NUMBER if isinstance(space, spaces.Box) else _INTEGER
    if len(words) != _size(space) or not all(map(pattern.fullmatch, words)):
        raise ValueError("other numbers")
    if isinstance(space, spaces.Discrete):
        return int(words[0])
    numbers = [float(word) if pattern is _NUMBER else int(word) for word in words]
    return np.array(numbers, dtype=space.dtype).reshape(space.shape)
