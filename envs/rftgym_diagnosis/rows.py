"""A line of a ``--tasks`` file: a clinic and one of its patients."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from rftgym import Task, TaskRow
from rftgym_diagnosis.belief import Clinic
from rftgym_diagnosis.clinics import difficulty

Name = Annotated[
    str,
    StringConstraints(
        max_length=60, pattern=r"^[^\s\x00-\x1f<>:;,](?:[^\x00-\x1f<>:;,]*[^\s\x00-\x1f<>:;,])?$"
    ),
]
Percent = Annotated[int, Field(ge=1, le=99, strict=True)]


class FindingRow(BaseModel):
    """What a sign costs, and of 100 patients with each illness, how many show it (1 to 99, in the illnesses' order)."""

    model_config = ConfigDict(extra="forbid")

    cost: Annotated[int, Field(ge=1, le=1000, strict=True)]
    percents: Annotated[list[Percent], Field(max_length=12)]


class DiagnosisRow(TaskRow):
    """A clinic with one patient. The difficulty, where none is given, is found by the greedy Bayesian player."""

    illnesses: Annotated[dict[Name, Percent], Field(min_length=2, max_length=12)]
    findings: Annotated[dict[Name, FindingRow], Field(min_length=2, max_length=40)]
    complaint: Name
    illness: Name
    present: Annotated[list[Name], Field(max_length=40)]

    @model_validator(mode="after")
    def _sound(self) -> DiagnosisRow:
        if sum(self.illnesses.values()) != 100:
            raise ValueError(f"'illnesses' must sum to 100, not to {sum(self.illnesses.values())}")
        if self.illness not in self.illnesses:
            raise ValueError(f"'illness' {self.illness!r} is none of 'illnesses'")
        for name, finding in self.findings.items():
            if len(finding.percents) != len(self.illnesses):
                raise ValueError(
                    f"'findings' {name!r} has {len(finding.percents)} percents for {len(self.illnesses)} illnesses"
                )
        for name in (self.complaint, *self.present):
            if name not in self.findings:
                raise ValueError(f"{name!r} is none of 'findings'")
        for names in (self.illnesses, self.findings):
            if len({" ".join(name.casefold().split()) for name in names}) < len(names):
                raise ValueError("names must differ by more than case and blanks")
        if self.complaint not in self.present:
            raise ValueError(f"'present' lacks the complaint {self.complaint!r}")
        return self

    def to_task(self) -> Task:
        """The task, with its difficulty."""
        task = TaskRow.to_task(self)
        hard = difficulty(Clinic.of(task.data), task.data) if self.difficulty is None else self.difficulty
        return Task(task.id, task.data, task.split, hard)
