"""Every sentence that the environment says to a model."""

from __future__ import annotations

from typing import Final

from rftgym_diagnosis.belief import Clinic

SYSTEM: Final = """\
A creature has fallen ill. Creature, illnesses and signs are invented: this is a game, and no medicine.
The table says how many of 100 creatures with each illness show each sign. Asking about a sign costs points.
Ask about one sign in a message, like this: <ask>purple nose</ask>
When you are sure enough, name one illness with its probability, like this: <diagnosis>sleepyroot: 0.8</diagnosis>
A right diagnosis pays most; points that are left and an honest probability pay too."""
NO_ACTION: Final = "There is no sign in <ask></ask> and no illness in <diagnosis></diagnosis>."
SEVERAL: Final = "Ask about one sign or give one diagnosis in a message, and not more."


def opening(clinic: Clinic, complaint: str) -> str:
    """The first user message: the table, the points and the complaint."""
    shares = ", ".join(f"{name} {share}" for name, share in zip(clinic.illnesses, clinic.shares, strict=True))
    rows = [
        f"{name}: {finding.cost}; {' '.join(map(str, finding.percents))}"
        for name, finding in clinic.findings.items()
    ]
    return "\n".join(
        (
            f"Illnesses, of 100 creatures: {shares}",
            "Signs, cost; of 100 with each of these illnesses:",
            *rows,
            f"Known: {complaint} is present.",
            f"Points: {clinic.budget(complaint)}",
        )
    )


def ask(name: str) -> str:
    """A question as a model should put it."""
    return f"<ask>{name}</ask>"


def diagnosis(name: str, probability: float) -> str:
    """A diagnosis as a model should give it."""
    return f"<diagnosis>{name}: {probability:.2f}</diagnosis>"


def told(name: str, *, present: bool, left: int) -> str:
    """The user message after a question."""
    return f"{name}: {'present' if present else 'absent'}. Points: {left}"


def wasted(message: str, left: int) -> str:
    """The user message after a completion that asked nothing new: time passes."""
    return f"{message} One point is lost. Points: {left}"


def closing(illness: str, *, right: bool) -> str:
    """The last user message."""
    return f"Right, it is {illness}." if right else f"Wrong, it is {illness}."
