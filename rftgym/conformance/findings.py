"""What an examination finds, and its report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rftgym.conformance.rules import RULES, Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of the contract, or a habit that may become one.

    Attributes:
        check: id of the rule, in kebab case; docs/check.md lists them.
        severity: "error" where the contract is broken, "warning" where it may be.
        what: happened.
        where: file and line, or the stage, task, seed and completion.
        why: it matters for training.
        cure: how to mend it.
        times: how often it was seen; the first time is told.
    """

    check: str
    severity: Severity
    what: str
    where: str
    why: str
    cure: str
    times: int = 1


def finding(
    check: str, what: str, where: str, *, cure: str | None = None, severity: Severity | None = None
) -> Finding:
    """A finding by the rule of this id; ``cure`` and ``severity`` may be more particular than the rule's."""
    rule = RULES[check]
    return Finding(check, severity or rule.severity, what, where, rule.why, cure or rule.cure)


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of an examination.

    Attributes:
        subject: what was examined, by its id.
        findings: errors first; of one rule, in the order in which they came up.
        consequences: found too, and explained by one of the findings: they most likely go away with it.
        left_out: what could not be examined, or not in the time there was, and why.
        examined: the names of what was.
        seconds: it took.
    """

    subject: str
    findings: tuple[Finding, ...] = ()
    consequences: tuple[Finding, ...] = ()
    left_out: tuple[str, ...] = ()
    examined: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def errors(self) -> list[Finding]:
        """The findings that break the contract."""
        return [each for each in self.findings if each.severity == "error"]

    @property
    def warnings(self) -> list[Finding]:
        """The others."""
        return [each for each in self.findings if each.severity == "warning"]

    @property
    def ok(self) -> bool:
        """There is no error."""
        return not self.errors

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values, as ``rftgym check --json`` prints it."""
        return {**asdict(self), "ok": self.ok}


@dataclass
class Notes:
    """What comes up in the course of an examination."""

    found: list[Finding] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    examined: list[str] = field(default_factory=list)

    def has(self, check: str) -> bool:
        """Whether a rule is known to be broken."""
        return any(each.check == check for each in self.found)

    def report(self, subject: str, seconds: float) -> Report:
        """Findings of one kind as one, causes apart from consequences, errors first."""
        causes, consequences = _parted(_folded(self.found))
        causes.sort(key=lambda each: each.severity != "error")
        return Report(
            subject,
            tuple(causes),
            tuple(consequences),
            tuple(dict.fromkeys(self.left_out)),
            tuple(self.examined),
            round(seconds, 2),
        )


def _folded(found: Iterable[Finding]) -> list[Finding]:
    """The first of each rule, with the number of the others; findings in source code each stand for themselves."""
    kept: dict[tuple[str, ...], Finding] = {}
    for each in found:
        rule = RULES[each.check]
        key = (each.check, each.severity, each.where if rule.each_place else "")
        kept[key] = replace(kept[key], times=kept[key].times + 1) if key in kept else each
    return list(kept.values())


def _parted(found: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Those that stand for themselves, and those that another one explains.

    An error explains; a warning explains warnings only, since what breaks the contract is never hidden behind a habit.
    """
    explained: dict[str, set[str]] = {"error": set(), "warning": set()}
    for each in found:
        explained[each.severity].update(RULES[each.check].explains)
    causes: list[Finding] = []
    consequences: list[Finding] = []
    for each in found:
        hidden = each.check in explained["error"] or (
            each.severity == "warning" and each.check in explained["warning"]
        )
        (consequences if hidden else causes).append(each)
    return causes, consequences
