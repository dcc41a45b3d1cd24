"""Writes the environment's data: ``python -m rftgym_code.build`` runs the references and records what they return.

Every problem is held to the bar here: its examples are true, its tests pass the reference and catch every slip, an
answer without any thought passes few of them, and no solution of one split solves a problem of another.
"""

from __future__ import annotations

import ast
import doctest
import itertools
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Final

from rftgym.errors import RftgymError
from rftgym.sandbox.functions import Call, PythonFunctions, Ran, Result
from rftgym_code.outline import Outline, outline
from rftgym_code.problems import TOPICS
from rftgym_code.problems.problem import Problem
from rftgym_code.testing import Outcome, Test, baseline, from_json, to_json
from rftgym_code.variants import variants

DATA: Final = Path(__file__).parent / "data" / "problems.jsonl"
TESTS, FEWEST_TESTS = 16, 12
DRAWS: Final = 400
VARIANTS: Final = {"train": 200, "validation": 40, "test": 40}
FEWEST_SLIPS: Final = 2
HIGHEST_BASELINE: Final = 0.75
HARDEST_LEVEL: Final = 4
LOG: Final = logging.getLogger(__name__)
DOCTESTS: Final = """

def _failures():
    import doctest, sys
    module = sys.modules[__name__]
    runner = doctest.DocTestRunner(verbose=False)
    for test in doctest.DocTestFinder().find({entry}, "{entry}", module=module):
        runner.run(test, out=lambda text: None)
    return runner.summarize(verbose=False).failed
"""

DISPATCH: Final = """
def _dispatched(name, *args):
    return globals()[name](*args)
"""
AT_A_TIME: Final = 100


class Unfit(RftgymError):
    """A problem does not keep what is promised about all of them."""


def main() -> None:
    """Build, and write the data."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    with PythonFunctions() as functions:
        rows = build(functions)
    DATA.parent.mkdir(exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    DATA.write_text(text, encoding="utf-8")
    LOG.info("%d problems, %d bytes", len(rows), len(text.encode()))


def build(functions: PythonFunctions) -> list[dict[str, Any]]:
    """All rows, by topic; see the module's head.

    Raises:
        Unfit: a problem, and what is wrong with it.
    """
    rows, faults = [], []
    posed = [
        (topic, _split(place), problem)
        for topic, problems in TOPICS.items()
        for place, problem in enumerate(problems)
    ]
    drawn = variants(sum(VARIANTS.values()))
    for split, count in VARIANTS.items():
        posed += [
            ("variants", split, _with_example(functions, each)) for each in itertools.islice(drawn, count)
        ]
    for topic, split, problem in posed:
        try:
            rows.append(_row(functions, problem, topic, split))
        except Unfit as error:
            faults.append(str(error))
    if faults:
        raise Unfit("\n".join(faults))
    _grade(rows)
    rows = _held_apart(functions, rows)
    for row in rows:
        del row["level"]
    return rows


def _split(place: int) -> str:
    return {2: "validation", 4: "test"}.get(place % 5, "train")


def _with_example(functions: PythonFunctions, problem: Problem) -> Problem:
    entry = outline(problem.source).entry
    shown = ast.literal_eval(problem.source.partition(f">>> {entry}(")[2].partition(")\n")[0])
    (result,) = functions.run(problem.source, entry, [Call((shown,))]).results
    source = problem.source.replace("{example}", repr(result.value))
    return Problem(problem.level, source, problem.edges, problem.draw, problem.slips, problem.in_place)


def _row(functions: PythonFunctions, problem: Problem, topic: str, split: str) -> dict[str, Any]:
    source = problem.source.strip() + "\n"
    parts = outline(source)
    where = f"{topic}/{parts.entry}"
    if (
        (failed := functions.run(source + DOCTESTS.format(entry=parts.entry), "_failures", [Call()]))
        .results[0]
        .value
    ):
        raise Unfit(f"{where}: {failed} of its examples are not true")
    examples = [_recorded(functions, problem, parts, [call])[0] for call in _examples(parts)]
    tests = _recorded(functions, problem, parts, _calls(problem, parts, [each.call for each in examples]))
    share = baseline(tests)
    if len(tests) < FEWEST_TESTS or share > HIGHEST_BASELINE:
        raise Unfit(f"{where}: {len(tests)} tests, of which an answer without thought passes {share:.0%}")
    slips = _slips(functions, problem, parts, tests, where)
    name = "" if topic != "variants" else "variant-"
    return {
        "id": f"{name}{parts.entry.lower().replace('_', '-')}",
        "split": split,
        "topic": topic,
        "level": problem.level,
        "entry": parts.entry,
        "stub": parts.stub,
        "solution": parts.solution,
        "slips": slips,
        "keeps_arguments": not problem.in_place,
        "baseline": round(share, 6),
        "examples": [to_json(each) for each in examples],
        "tests": [to_json(each) for each in tests],
    }


def _examples(parts: Outline) -> Iterator[Call]:
    """The docstring's examples that are one call of the entry with literals."""
    for example in doctest.DocTestParser().get_examples(parts.docstring):
        try:
            call = ast.parse(example.source.strip(), mode="eval").body
        except SyntaxError:  # a statement, which prepares the next example
            continue
        if parts.is_class or not example.want or not isinstance(call, ast.Call):
            continue
        if isinstance(call.func, ast.Name) and call.func.id == parts.entry:
            yield Call(tuple(ast.literal_eval(argument) for argument in call.args))


def _calls(problem: Problem, parts: Outline, shown: Sequence[Call]) -> list[Call]:
    """The edges, and random ones up to `TESTS`; all different, and none that is shown."""
    rng = Random(f"rftgym-code:{parts.entry}")
    calls: dict[str, Call] = {}
    drawn = (problem.draw(rng) for _ in range(DRAWS))
    hidden = {repr(call) for call in shown}
    for given in (*problem.edges, *drawn):
        call = Call(given[0], given[1]) if parts.is_class else Call(given)
        if repr(call) not in hidden:
            calls.setdefault(repr(call), call)
        if len(calls) == TESTS:
            break
    return list(calls.values())


def _recorded(
    functions: PythonFunctions, problem: Problem, parts: Outline, calls: Sequence[Call]
) -> list[Test]:
    ran = functions.run(parts.source, parts.entry, calls)
    if ran.status != "ok":
        raise Unfit(f"{parts.entry}: its reference: {ran.status}: {ran.message}")
    tests = []
    for call, result in zip(calls, ran.results, strict=True):
        if call.steps is None:
            after = result.args if problem.in_place else None
            tests.append(Test(call, (_outcome(result, parts),), after))
            if not problem.in_place and repr(result.args) != repr(call.args):
                raise Unfit(f"{parts.entry}: its reference changes its arguments {call.args}")
        else:
            tests.append(Test(call, tuple(_outcome(step, parts) for step in result.value)))
    return tests


def _outcome(result: Result, parts: Outline) -> Outcome:
    if result.kind == "value":
        promised = type(result.value) is int and "-> float:" in parts.stub  # then a float is right as well
        return Outcome(float(result.value) if promised else result.value)
    if result.kind == "exception" and result.exception in parts.source + "TypeErrorIndexErrorValueError":
        return Outcome(raises=result.exception)
    raise Unfit(f"{parts.entry}: its reference: {result}")


def _slips(
    functions: PythonFunctions, problem: Problem, parts: Outline, tests: Sequence[Test], where: str
) -> list[list[str]]:
    """The slips, each of which some test catches.

    Of a variant, those are left out that make no difference: the smallest square is the square of the smallest.
    """
    caught, faults = [], []
    for old, new in problem.slips:
        wrong = parts.solution.replace(old, new, 1)
        if wrong == parts.solution:
            faults.append(f"its solution has no {old!r}, or the same in its place")
            continue
        ran = functions.run(wrong, parts.entry, [each.call for each in tests])
        if ran.status in ("syntax", "import", "missing"):
            faults.append(f"the slip {new!r} is no program: {ran.message}")
        elif not _passes(tests, ran, keeps=not problem.in_place):
            caught.append([old, new])
        elif not where.startswith("variants/"):
            faults.append(f"no test catches the slip {new!r}")
    if faults or len(caught) < FEWEST_SLIPS:
        raise Unfit("\n".join(f"{where}: {fault}" for fault in faults or ["too few slips"]))
    return caught


def _passes(tests: Sequence[Test], ran: Ran, *, keeps: bool) -> bool:
    for test, result in zip(tests, ran.results, strict=True):
        changed = keeps and test.call.steps is None and repr(result.args) != repr(test.call.args)
        if changed or test.flaw(result, "strict"):
            return False
    return True


def _grade(rows: Sequence[dict[str, Any]]) -> None:
    """Difficulty: half the author's level, half the size of the solution among all hand-written ones."""
    sizes = {row["id"]: sum(1 for _ in ast.walk(ast.parse(row["solution"]))) for row in rows}
    ranked = sorted(sizes[row["id"]] for row in rows if row["topic"] != "variants")
    for row in rows:
        rank = sum(size < sizes[row["id"]] for size in ranked) / len(ranked)
        row["difficulty"] = round((row["level"] - 1) / (HARDEST_LEVEL - 1) / 2 + rank / 2, 3)


def _held_apart(functions: PythonFunctions, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, of which no solution passes for a problem of another split.

    A held-out variant that another split solves is left out: twice the largest is the largest of the doubled.

    Raises:
        Unfit: two rows have one id, or a hand-written problem is solved from another split.
    """
    if len({row["id"] for row in rows}) < len(rows):
        raise Unfit("two problems have the same id")
    kept = [row for row in rows if row["split"] == "train"]
    for split in ("validation", "test"):
        fit = []
        for row in (row for row in rows if row["split"] == split):
            solver = _solver(functions, row, [each for each in kept if _shape(each) == _shape(row)])
            if solver is None:
                fit.append(row)
            elif row["topic"] != "variants":
                raise Unfit(f"{solver} solves {row['id']} of {split}")
        kept += fit
    return kept


def _solver(
    functions: PythonFunctions, held_out: dict[str, Any], others: Sequence[dict[str, Any]]
) -> str | None:
    """The id of one of the others whose solution passes all tests of a held-out problem."""
    tests = [from_json(each) for each in held_out["tests"]]
    keeps = bool(held_out["keeps_arguments"])
    if held_out["topic"] == "classes":
        for other in others:
            ran = functions.run(other["solution"], other["entry"], [each.call for each in tests])
            if _passes(tests, ran, keeps=keeps):
                return str(other["id"])
        return None
    source = "\n".join([other["solution"] for other in others] + [DISPATCH])
    for start in range(0, len(others), AT_A_TIME):
        some = others[start : start + AT_A_TIME]
        calls = [Call((other["entry"], *test.call.args)) for other in some for test in tests]
        ran = functions.run(source, "_dispatched", calls)
        for place, other in enumerate(some):
            results = ran.results[place * len(tests) : (place + 1) * len(tests)]
            direct = [replace(each, args=each.args[1:]) for each in results]
            if _passes(tests, replace(ran, results=tuple(direct)), keeps=keeps):
                return str(other["id"])
    return None


def _shape(row: dict[str, Any]) -> tuple[bool, int, str]:
    (top,) = ast.parse(row["solution"]).body
    if not isinstance(top, ast.FunctionDef):
        return (True, 0, "")
    first = top.args.args[0].annotation
    return (False, len(top.args.args), ast.unparse(first) if first else "")


if __name__ == "__main__":
    main()
