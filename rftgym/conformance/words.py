"""Reports in words, for a terminal and for an exception's message."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym.conformance.findings import Finding, Report

REST = "the rest of "


def headline(report: Report) -> str:
    """``wordle: no errors, 2 warnings (24 examinations, 3.1 s)``."""
    counts = f"{_count(len(report.errors), 'error')}, {_count(len(report.warnings), 'warning')}"
    return f"{report.subject}: {counts} ({len(report.examined)} examinations, {report.seconds:.1f} s)"


def _count(n: int, what: str) -> str:
    return f"{n or 'no'} {what}{'' if n == 1 else 's'}"


def told(finding: Finding) -> list[tuple[str, str]]:
    """A finding's lines behind its first one, each with its label."""
    more = f" (and {finding.times - 1} more like it)" if finding.times > 1 else ""
    return [("where", finding.where + more), ("why", finding.why), ("mend", finding.cure)]


def layout(report: Report) -> str:
    """The whole report as plain text."""
    lines = [headline(report)]
    for each in report.findings:
        lines += ["", f"{each.severity} [{each.check}] {clean(each.what)}"]
        lines += [f"    {label:5}  {clean(text)}" for label, text in told(each)]
    return "\n".join([*lines, *remarks(report)])


def remarks(report: Report) -> list[str]:
    """What stands below the findings: consequences, and what was left out."""
    lines = []
    if report.consequences:
        names = ", ".join(dict.fromkeys(each.check for each in report.consequences))
        lines += [
            "",
            f"Seen too, and most likely for the same reasons: {names}. Check again when the above is mended.",
        ]
    if report.left_out:
        lines += ["", "Left out:", *(f"  {clean(each)}" for each in _together(report.left_out))]
    return lines


def _together(left_out: Sequence[str]) -> list[str]:
    """What was left out for the same reason, on one line: ``the rest of speed, episodes: it was interrupted``."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for each in left_out:
        what, _, reason = each.partition(": ")
        begun = REST if what.startswith(REST) else ""
        reasons.setdefault((begun, reason), []).append(what.removeprefix(REST))
    return [
        f"{begun}{', '.join(what)}{': ' if reason else ''}{reason}"
        for (begun, reason), what in reasons.items()
    ]


def clean(text: str) -> str:
    """Without anything that a terminal would obey: the texts quote what environments and models wrote."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
