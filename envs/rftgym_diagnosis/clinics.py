"""Generated clinics for invented creatures, and their patients.

Everything is invented: garden dragons, their illnesses and their signs. The names of illnesses are split by a hash, so
that no illness of the train split occurs in another, and each split has clinics of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from random import Random
from typing import Any, Final

from rftgym import Task
from rftgym_diagnosis.belief import Clinic
from rftgym_diagnosis.player import examined

CLINICS: Final[Mapping[str, int]] = {"train": 64, "validation": 16, "test": 16}
"""How many clinics each split has."""
_FIRST: Final = (
    "moon ash fern glass rust velvet thunder pepper hollow copper lantern marsh cinder thistle bramble pebble"
)
_LAST: Final = "blot gill wing hush snap glow crook drift tangle spark wobble flake"
QUESTIONS: Final = (
    "hums at night",
    "sleeps upside down",
    "refuses pears",
    "chases bees",
    "hiccups sparks",
    "hoards spoons",
    "avoids puddles",
    "sings to trees",
)
"""Signs that a keeper can tell: 1 point each, and not very telling."""
EXAMS: Final = (
    "striped tongue",
    "cold tail",
    "soft horns",
    "ticking belly",
    "green smoke",
    "curled whiskers",
    "loose scales",
    "glowing ears",
)
"""Signs that one must look for: 2 or 3 points."""
TESTS: Final = (
    "amber crystals",
    "silver threads",
    "violet rings",
    "double echo",
    "prism bands",
    "salt bloom",
    "moss spores",
    "iron dust",
)
"""Signs that only a costly test shows: 5 to 7 points, and telling."""
_KINDS: Final = (
    # pool, how many of a clinic, costs, percent where the sign is typical of an illness, and where it is not
    (QUESTIONS, 3, (1, 1), (60, 90), (10, 35)),
    (EXAMS, 3, (2, 3), (75, 95), (4, 20)),
    (TESTS, 3, (4, 7), (92, 99), (1, 6)),
)


def split_of(illness: str) -> str:
    """The split that an illness belongs to, by its name alone."""
    place = hashlib.sha256(illness.encode()).digest()[0] % 4
    return "test" if place == 0 else "validation" if place == 1 else "train"


@lru_cache(maxsize=4)
def illnesses(split: str) -> tuple[str, ...]:
    """The names of a split's illnesses."""
    names = (first + last for first in _FIRST.split() for last in _LAST.split())
    return tuple(name for name in names if split_of(name) == split)


@lru_cache(maxsize=sum(CLINICS.values()))
def clinic(split: str, number: int) -> Clinic:
    """One of a split's clinics, as an object; see `clinic_data`."""
    return Clinic.of(clinic_data(split, number))


@lru_cache(maxsize=sum(CLINICS.values()))
def clinic_data(split: str, number: int) -> Mapping[str, Any]:
    """One of a split's clinics, as tasks hold it: "illnesses" (name to share) and "findings" (name to cost, percents).

    Args:
        split: "train", "validation" or "test".
        number: below `CLINICS` of the split.
    """
    rng = Random(f"rftgym-diagnosis:{split}:{number}")
    names = rng.sample(illnesses(split), rng.randint(3, 6))
    parts = [rng.randint(3, 9) for _ in names]
    shares = [100 * part // sum(parts) for part in parts]
    shares[0] += 100 - sum(shares)
    findings: dict[str, Any] = {}
    for pool, count, costs, typical, other in _KINDS:
        for name in rng.sample(pool, count):
            findings[name] = {
                "cost": rng.randint(*costs),
                "percents": _percents(len(names), typical, other, rng),
            }
    return {"illnesses": dict(zip(names, shares, strict=True)), "findings": findings}


def _percents(n: int, typical: tuple[int, int], other: tuple[int, int], rng: Random) -> list[int]:
    """How often a sign shows with each illness; it is typical of up to half of them."""
    shown = rng.sample(range(n), rng.randint(1, n // 2))
    return [rng.randint(*(typical if place in shown else other)) for place in range(n)]


def generate(split: str, rng: Random, id: str) -> Task:
    """A patient of one of the split's clinics, as :class:`rftgym.tasks.ProceduralTaskset` asks for it.

    Patients come because of a sign that their keeper has seen: the complaint. Given that, illness and signs are drawn
    from the clinic's own distribution, so that Bayes' rule with the table is exactly right about them. ``data``: that
    of the clinic, and "complaint", "illness" and "present" (the patient's signs, the complaint among them).
    """
    number = rng.randrange(CLINICS[split])
    known = clinic(split, number)
    complaint = rng.choice([name for name in known.findings if name in QUESTIONS])
    place = rng.choices(range(len(known.illnesses)), known.joint({complaint: True}))[0]
    present = [
        name
        for name, finding in known.findings.items()
        if name == complaint or rng.randrange(100) < finding.percents[place]
    ]
    patient = {"complaint": complaint, "illness": known.illnesses[place], "present": present}
    data = {**clinic_data(split, number), **patient}
    return Task(id, data, split, difficulty(known, patient))


def difficulty(known: Clinic, patient: Mapping[str, Any]) -> float:
    """How far the greedy Bayesian player gets: 0 sure of the illness at once, 0.5 sure after all questions, 1 misled.

    That is 1 - p (1 + l) / 2, where p is the probability that it gives to the true illness when it stops, and l the
    share of the points that are left then.

    Args:
        known: the clinic.
        patient: "complaint", "illness" and "present".
    """
    found, left = examined(known, patient["complaint"], patient["present"], depth=1)
    sure = known.posterior(found)[known.illnesses.index(patient["illness"])]
    return round(1 - sure * (1 + left / known.budget(patient["complaint"])) / 2, 3)
