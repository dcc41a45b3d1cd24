"""Scoring an answer: a guard, the scorer of reasoning-gym, a referee."""

from __future__ import annotations

import copy
from typing import Any, Final, NamedTuple

from rftgym.errors import InfrastructureError, RftgymError
from rftgym_reasoning_gym.drawing import Dataset, Entry
from rftgym_reasoning_gym.guards import GUARDS, REFEREES, SHUT_IN
from rftgym_reasoning_gym.quirks import CHANGES_ENTRY, UNREADABLE
from rftgym_reasoning_gym.reading import Unreadable


class Verdict(NamedTuple):
    """What became of an answer.

    Attributes:
        value: from 0 to 1; None where the scorer failed.
        why: what was wrong with the answer, where our own side found it; the failure, where there is one.
    """

    value: float | None
    why: str = ""


RIGHT: Final = Verdict(1.0)
PARTICULAR: Final = frozenset({*GUARDS, *REFEREES, *SHUT_IN, *CHANGES_ENTRY})
"""Datasets whose own scorer is not all there is to it."""


def verdict(dataset: Dataset, answer: str | None, entry: Entry) -> Verdict:
    """Score an answer. An exception of the foreign scorer is told in the verdict and is no 0.

    Raises:
        InfrastructureError: the sandbox failed.
        RftgymError: this machine has no sandbox, and the dataset needs one.
    """
    if answer is None:
        return Verdict(0.0, "no answer")
    name = dataset.name
    try:
        if name in PARTICULAR:
            value = _looked_at(dataset, answer, entry)
        else:
            value = float(dataset.foreign.score_answer(answer, entry))
    except Unreadable as error:
        return Verdict(0.0, str(error))
    except (InfrastructureError, RftgymError):
        raise
    except Exception as error:  # noqa: BLE001  # a stranger's code: whatever it raises becomes data
        if isinstance(error, UNREADABLE.get(name, ())):
            return Verdict(0.0, "not of the form that was asked for")
        return Verdict(None, f"{type(error).__name__}: {error}"[:500])
    return RIGHT if value == 1.0 else Verdict(value)


def _looked_at(dataset: Dataset, answer: str, entry: Entry) -> float:
    """The value of an answer that a guard lets pass, and a referee where it is called right.

    Raises:
        Unreadable: one of them does not.
    """
    name = dataset.name
    if name in GUARDS:
        GUARDS[name](answer, entry)
    value = _scored(dataset, answer, entry)
    if value >= 1.0 and name in REFEREES:
        REFEREES[name](answer, entry)
    return value


def _scored(dataset: Dataset, answer: str, entry: Entry) -> float:
    if dataset.name in SHUT_IN and answer != entry["answer"]:
        from rftgym_reasoning_gym.shut_in import scored

        return scored(dataset, answer, entry)
    given: Any = copy.deepcopy(entry) if dataset.name in CHANGES_ENTRY else entry
    return float(dataset.foreign.score_answer(answer, given))
