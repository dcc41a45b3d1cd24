"""How many answers a second are judged: right, wrong and hopeless ones, all of them different, with ten tests each.

    python benchmarks/transpile_throughput.py --answers 200 --workers 2

Every answer differs in its text, so that no verdict is remembered; the share of each kind is that of a policy in
training. Recorded results are used, as they are for all bundled tasks: no JVM runs. Rounds are repeated, the median and
the extremes are printed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import rftgym
from rftgym_transpile.judge import Judge, JudgeSettings

TESTS = 10
KINDS = ("right", "wrong", "raises", "syntax")
"""Kinds of answers, in turns: the recorded solution, one constant, one that raises, one that does not parse."""


def problems(n: int) -> list[dict[str, Any]]:
    """Bundled tasks that have ten tests or more, cut to ten."""
    tasks = rftgym.make("transpile-java-python").tasks
    found: list[dict[str, Any]] = []
    for index in range(tasks.size("train") or 0):
        data = dict(tasks.item("train", index).data)
        if len(data["inputs"]) >= TESTS and isinstance(data["inputs"][0], list) and len(found) < n:
            found.append({**data, "inputs": data["inputs"][:TESTS], "expected": data["expected"][:TESTS]})
    return found


def answer(data: dict[str, Any], number: int) -> str:
    """Answer number ``number`` to a problem, different from all others."""
    head = f"# answer {number}\n"
    name = data["entry"]
    texts: dict[str, str] = {
        "right": data["solution"],
        "wrong": f"def {name}(*values):\n    return {number}",
        "raises": f"def {name}(*values):\n    raise RuntimeError({number})",
        "syntax": f"def {name}(*values)\n    return {number}",
    }
    return head + texts[KINDS[number % len(KINDS)]]


def rate(judge: Judge, data: list[dict[str, Any]], first: int, answers: int, workers: int) -> float:
    """Answers a second."""
    numbers = range(first, first + answers)
    jobs = [(str(n), data[n // len(KINDS) % len(data)], n) for n in numbers]
    started = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        verdicts = list(pool.map(lambda job: judge.judge(job[0], job[1], answer(job[1], job[2])), jobs))
    seconds = time.perf_counter() - started
    wrong = [
        n for n, verdict in zip(numbers, verdicts, strict=True) if verdict.success != (n % len(KINDS) == 0)
    ]
    if wrong:
        raise SystemExit(f"answers {wrong[:5]} were misjudged: a figure would mean nothing")
    return answers / seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--answers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    judge, data = Judge(JudgeSettings(workers=options.workers)), problems(50)
    rate(judge, data, 0, 8, options.workers)  # starts the sandbox
    rates = [
        rate(judge, data, 1000 + round_ * options.answers // 4 * 4, options.answers, options.workers)
        for round_ in range(options.rounds)
    ]
    judge.close()
    figures = {"workers": options.workers, "tests": TESTS, "answers_per_second": statistics.median(rates)}
    figures |= {"slowest": min(rates), "fastest": max(rates)}
    text = (
        json.dumps(figures)
        if options.json
        else "\n".join(f"{name:20} {value:.4g}" for name, value in figures.items())
    )
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
