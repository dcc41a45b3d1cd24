"""The exact Bayesian player: it never peeks, believes what Bayes' rule says, and looks one or two questions ahead."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rftgym_diagnosis.belief import Clinic, Finding, Findings, outcomes
from rftgym_diagnosis.rewards import expected


def next_finding(clinic: Clinic, known: Findings, left: int, budget: int, *, depth: int = 2) -> str | None:
    """What to ask for next; None where it is best to stop.

    Args:
        clinic: the knowledge.
        known: findings so far, the complaint included.
        left: points left of the budget.
        depth: questions that are thought through; 1 is greedy.
    Returns:
        A finding that is not known and can be paid for.
    """
    belief = clinic.posterior(known)
    open_findings = [each for name, each in clinic.findings.items() if name not in known]
    return _best(open_findings, belief, left, budget, depth)[1]


def examined(
    clinic: Clinic, complaint: str, present: Collection[str], *, depth: int = 2
) -> tuple[dict[str, bool], int]:
    """What the player knows of a patient when it stops, in the order of asking, and the points that are left.

    Args:
        clinic: the knowledge.
        complaint: a sign that is known from the beginning.
        present: the signs that the patient has, each looked at only when it is asked for.
        depth: see `next_finding`.
    """
    budget = left = clinic.budget(complaint)
    known = {complaint: True}
    while (name := next_finding(clinic, known, left, budget, depth=depth)) is not None:
        known[name] = name in present
        left -= clinic.findings[name].cost
    return known, left


def _best(
    findings: Sequence[Finding], belief: Sequence[float], left: int, budget: int, depth: int
) -> tuple[float, str | None]:
    """The expected reward from here on, and the finding to ask for; None to stop."""
    best, choice = expected(max(belief), left / budget), None
    if depth == 0:
        return best, None
    for finding in findings:
        if finding.cost > left:
            continue
        rest = [each for each in findings if each is not finding]
        value = sum(
            chance * _best(rest, after, left - finding.cost, budget, depth - 1)[0]
            for chance, after in outcomes(finding, belief)
        )
        if value > best + 1e-12:  # ties go to stopping, then to the table's order
            best, choice = value, finding.name
    return best, choice
