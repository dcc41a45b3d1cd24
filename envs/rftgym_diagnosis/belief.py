"""A clinic's knowledge, and what follows from findings: Bayes' rule, exactly.

One illness a patient. Given the illness, its findings are independent of one another ("naive Bayes"), so that the
probability of an illness is its share of patients times one factor a finding. Shares are whole percent, as they are
shown to the player, and products of them are whole numbers: nothing is rounded before the one division at the end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Findings = Mapping[str, bool]
"""What is known of a patient: findings by name, True for present."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that can be asked for.

    Attributes:
        name: as it is asked for.
        cost: in points: money, delay and discomfort in one number.
        percents: of 100 patients with each illness, how many show it; each from 1 to 99.
    """

    name: str
    cost: int
    percents: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Clinic:
    """What is known before a patient comes.

    Attributes:
        illnesses: their names.
        shares: of 100 patients, how many have each; they sum to 100.
        findings: by name, in the order in which they are shown.
    """

    illnesses: tuple[str, ...]
    shares: tuple[int, ...]
    findings: Mapping[str, Finding]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Clinic:
        """The clinic of a task's data."""
        findings = {
            name: Finding(name, each["cost"], tuple(each["percents"]))
            for name, each in data["findings"].items()
        }
        return cls(tuple(data["illnesses"]), tuple(data["illnesses"].values()), findings)

    def budget(self, complaint: str) -> int:
        """Points that a patient's findings cost in all, the complaint aside: it is known."""
        return sum(finding.cost for name, finding in self.findings.items() if name != complaint)

    def joint(self, known: Findings) -> list[int]:
        """Whole numbers proportional to the probability of each illness together with all that is known."""
        weights = list(self.shares)
        for name, present in known.items():
            percents = self.findings[name].percents
            weights = [
                weight * (percent if present else 100 - percent)
                for weight, percent in zip(weights, percents, strict=True)
            ]
        return weights

    def posterior(self, known: Findings) -> list[float]:
        """Probability of each illness, in their order, given all that is known."""
        weights = self.joint(known)
        total = sum(weights)
        return [weight / total for weight in weights]


def outcomes(
    finding: Finding, belief: Sequence[float]
) -> tuple[tuple[float, list[float]], tuple[float, list[float]]]:
    """What asking would tell: (probability, posterior) if the finding is present, and if it is absent.

    Args:
        finding: not yet known.
        belief: probability of each illness so far.
    """
    there = [p * percent / 100 for p, percent in zip(belief, finding.percents, strict=True)]
    chance = sum(there)
    gone = 1 - chance
    return (
        (chance, [p / chance for p in there]),
        (gone, [(p - q) / gone for p, q in zip(belief, there, strict=True)]),
    )


def entropy(belief: Sequence[float]) -> float:
    """Uncertainty in bits."""
    return -sum(p * math.log2(p) for p in belief if p > 0)


def information(finding: Finding, belief: Sequence[float]) -> float:
    """Bits that asking for a finding takes off the uncertainty about the illness, on average."""
    return entropy(belief) - sum(chance * entropy(after) for chance, after in outcomes(finding, belief))
