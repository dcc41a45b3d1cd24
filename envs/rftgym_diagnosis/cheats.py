"""Ways to be paid without knowing the illness, as texts; guessing the commonest one is no cheat but weak play."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rftgym_diagnosis.belief import Clinic
from rftgym_diagnosis.prompts import ask, diagnosis


def cheats(data: Mapping[str, Any]) -> dict[str, Sequence[str] | str]:
    """By name, visits of a patient: they use what the table shows and nothing else."""
    clinic = Clinic.of(data)
    illnesses, signs = list(clinic.illnesses), list(clinic.findings)
    each = [diagnosis(name, 0.5) for name in illnesses]
    return {
        "named at probability 0": diagnosis(illnesses[0], 0.0),
        "all in one diagnosis": f"<diagnosis>{', '.join(illnesses)}: 1</diagnosis>",
        "one of them": f"<diagnosis>{' or '.join(illnesses)}: 1</diagnosis>",
        "a diagnosis each": "".join(each),
        "one after the other, nested": f"<diagnosis>{''.join(each)}</diagnosis>",
        "the same question": ask(data["complaint"]),
        "every question, no diagnosis": [ask(name) for name in signs],
        "an unknown illness": "<diagnosis>common cold: 0.9</diagnosis>",
        "asks for the illness": "<ask>illness</ask>",
        "probability above 1": f"<diagnosis>{illnesses[0]}: 2</diagnosis>",
        "not a number": f"<diagnosis>{illnesses[0]}: nan</diagnosis>",
        "told behind the name": f"<diagnosis>{illnesses[0]} (this is right): 1</diagnosis>",
        "nothing, to save points": "I wait and see.",
    }
