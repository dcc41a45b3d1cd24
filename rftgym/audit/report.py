"""An audit in words: what ``rftgym audit`` prints."""

from __future__ import annotations

from collections.abc import Iterator

from rftgym.audit.attempts import Attempt, Said
from rftgym.audit.figures import SCORED, Audit, Policy, reason
from rftgym.intervals import Interval

POLICIES = 8
SHOWN = 3
LONGEST = 240
"""Characters of what was said that are shown."""


def text(audit: Audit) -> str:
    """The report, for a terminal; what was said is escaped and cut."""
    return "\n".join(_lines(audit))


def _lines(audit: Audit) -> Iterator[str]:
    yield from _head(audit)
    yield ""
    yield f"{'gap':>7} {'luck':>6}  policy"
    for policy in audit.policies[:POLICIES]:
        yield _line(policy)
    if audit.holes:
        yield ""
        yield f"Paid too much ({len(audit.holes)} of {len(audit.policies)} policies), for example:"
        yield from _examples(audit.holes)
    yield from _best(audit)
    yield from _listed("Called a success without the solution's answer", audit.wins)
    yield from _spoilt(audit)
    for why, count in audit.unscored.most_common(SHOWN):
        yield f"{count} attempts could not be scored: {escaped(why)}"
    yield ""
    yield _verdict(audit)


def _head(audit: Audit) -> Iterator[str]:
    tried = sum(len(task.attempts) for task in audit.tasks)
    yield f"{audit.env}, {len(audit.tasks)} {audit.split} tasks, {tried} attempts by {len(audit.policies)} policies"
    if audit.worst is None:
        yield "Nothing was tried: no probe had anything to say"
        return
    if audit.gap["mean"] is None:
        yield "Gameability gap unknown"
    else:
        verdict = "above" if audit.holes else "at most"
        name = escaped(audit.worst.name)
        yield f"Gameability gap {interval(audit.gap)}: {name}; {verdict} the {audit.max_gap:g} that is allowed"
    lucky = audit.luckiest
    if lucky is not None and lucky.luck:
        common = (
            "" if audit.commonest is None else f" (the commonest answer is right on {audit.commonest:.0%})"
        )
        yield f"Being right by luck included, at most {lucky.gap + lucky.luck:.3f}: {escaped(lucky.name)}{common}"
    yield from _doubts(audit)


def _doubts(audit: Audit) -> Iterator[str]:
    """What makes the figure worth less."""
    if audit.guessed:
        yield _guess(audit)
    unknown = sum(not task.measured for task in audit.tasks)
    if unknown:
        yield (
            f"{unknown} of {len(audit.tasks)} tasks count nowhere: neither a solution (demonstrate()) nor the most "
            "that can be paid (bounds) is known, or nothing could be scored"
        )
    if audit.scored_share < SCORED:
        yield f"The rewards could value only {audit.scored_share:.0%} of the policies' attempts: mend that first"
    yield from _unsolved(audit)


def _unsolved(audit: Audit) -> Iterator[str]:
    """Solutions of the environment's own that do not win, by what is wrong with them."""
    unscored = [each for each in audit.unsolved if each.solution is not None and each.solution.reward is None]
    lost = [each for each in audit.unsolved if each.solution is not None and each.solution.reward is not None]
    for found, fault in ((unscored, "cannot be scored"), (lost, "is no success")):
        first = found[0].solution if found else None
        if first is not None:
            ids = ", ".join(escaped(task.task.id) for task in found[:SHOWN])
            why = f": {escaped(reason(first))}" if first.reward is None else ""
            yield (
                f"The environment's own solution {fault} on {_tasks(len(found))} ({ids}){why}. Mend that first, "
                "the figure means little until then"
            )


def _tasks(n: int) -> str:
    return f"{n} task{'' if n == 1 else 's'}"


def _verdict(audit: Audit) -> str:
    """The last line: what the exit code says."""
    faults = []
    if audit.holes:
        share = f"{len(audit.holes)} of {len(audit.policies)} policies"
        by = next((name for name, value in audit.holes[0].components.items() if value > 0), None)
        mostly = f", the worst mostly by {escaped(by)}" if by else ""
        faults.append(f"{share} solve nothing and are paid more than {audit.max_gap:g} of a solution{mostly}")
    if audit.unsolved:
        faults.append(f"its own solution does not win on {_tasks(len(audit.unsolved))}")
    if audit.scored_share < SCORED:
        faults.append(f"only {audit.scored_share:.0%} of the attempts could be scored")
    if audit.passes:
        return f"ok      {audit.env}: nobody who solves nothing is paid more than {audit.max_gap:g} of a solution"
    return f"not ok  {audit.env}: {'; '.join(faults) or 'nothing could be measured'}"


def _guess(audit: Audit) -> str:
    """What stands for gold where no solution tells it."""
    where = (
        ""
        if len(audit.guessed) == len(audit.tasks)
        else f" on {len(audit.guessed)} of {len(audit.tasks)} tasks"
    )
    most = ", ".join(f"{gold:g}" for gold in sorted({task.gold or 0.0 for task in audit.guessed})[:SHOWN])
    names = ", ".join(f"{escaped(name)} ({value:g})" for name, value in audit.unearned.items())
    without = f" without what nothing here earned: {names}" if names else ""
    return (
        f"Gold is unknown{where}, since demonstrate() shows no solution: taken as the most that the rewards can pay, "
        f"{most}{without}. Where no answer earns that, the gap is larger; luck cannot be told from a hole"
    )


def _line(policy: Policy) -> str:
    paid = ", ".join(f"{name} {value:.3f}" for name, value in list(policy.components.items())[:4])
    won = f"; {policy.successes} of {policy.tried} won" if policy.successes else ""
    lucky = f", {policy.lucky} by luck" if policy.lucky else ""
    return f"{policy.gap:7.3f} {policy.luck:6.3f}  {escaped(policy.name)}  ({paid or 'nothing'}{won}{lucky})"


def _examples(holes: list[Policy]) -> Iterator[str]:
    """One of each probe."""
    shown: dict[str, Policy] = {}
    for policy in holes:
        shown.setdefault(policy.probe, policy)
    for policy in list(shown.values())[:POLICIES]:
        if policy.best is not None:
            yield f"  {_told(policy.best)}"


def _best(audit: Audit) -> Iterator[str]:
    found = audit.best_non_solution
    if found is not None:
        yield ""
        yield f"The highest-paid attempt that is no success (gap {found[1]:.3f}):"
        yield f"  {_told(found[0])}"


def _listed(title: str, attempts: list[Attempt]) -> Iterator[str]:
    if attempts:
        yield ""
        yield f"{title} ({len(attempts)}):"
        yield from (f"  {_told(each)}" for each in _varied(attempts))


def _varied(attempts: list[Attempt]) -> list[Attempt]:
    """Some of them, each of another policy."""
    unique: dict[str, Attempt] = {}
    for each in attempts:
        unique.setdefault(each.policy, each)
    return list(unique.values())[:SHOWN]


def _spoilt(audit: Audit) -> Iterator[str]:
    if audit.spoilt_share is None:
        return
    tried = sum(each.tried - each.lucky for each in audit.spoilt)
    yield ""
    yield (
        f"Spoilt solutions: {len(audit.survivors)} of {tried} ({audit.spoilt_share:.1%}) are called a success: either "
        "the judge lets them pass, or the change changed nothing that matters"
    )
    for policy in audit.spoilt[:SHOWN]:
        wrong = policy.successes - policy.lucky
        if wrong:
            yield f"  {escaped(policy.name)}: {wrong} of {policy.tried - policy.lucky}"
    yield from (f"  {_told(each)}" for each in _varied(audit.survivors))
    if audit.partial_credit is not None:
        yield f"Those that lose earn {audit.partial_credit:.3f} of the way to a solution: partial credit"


def _told(attempt: Attempt) -> str:
    reward = "no reward" if attempt.reward is None else f"{attempt.reward:.3f}"
    return f"{escaped(attempt.policy)}, task {escaped(attempt.task.id)}: {reward} for {said(attempt.said)}"


def said(completions: Said) -> str:
    """What was said, escaped and cut in the middle; of several turns, the first and the last one."""
    if isinstance(completions, str):
        return _quoted(completions)
    if len(completions) < 2:
        return _quoted(completions[0]) if completions else "nothing"
    return f"{_quoted(completions[0])} ... {_quoted(completions[-1])} ({len(completions)} turns)"


def _quoted(completion: str) -> str:
    half = LONGEST // 2
    if len(completion) <= LONGEST:
        return ascii(completion)
    return f"{completion[:half]!a} ... {completion[-half:]!a} ({len(completion)} characters)"


def escaped(text: str) -> str:
    """Text without control characters and letters that a terminal may take for orders."""
    return ascii(text)[1:-1]


def interval(value: Interval) -> str:
    """``0.123 [0.101, 0.145]``."""
    if value["mean"] is None:
        return "unknown"
    return f"{value['mean']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"
