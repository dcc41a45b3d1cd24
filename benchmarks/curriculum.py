"""What a curriculum brings against the split's own order: the same runs with each, on the same held-out tasks.

    python benchmarks/curriculum.py math --seeds 0 1 2 --json > docs/results/curriculum_math.json

Seed by seed the three orders take turns, so that a busy hour of the machine hits all of them. Printed for each:
held-out successes before and after with 95% intervals, their difference to the run of the same seed with the split's
own order (paired by task), and how many groups carried no signal in training.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from statistics import fmean
from typing import Any

KINDS = ("off", "staged", "adaptive")


def trained(env: str, kind: str, seed: int, options: dict[str, Any]) -> dict[str, Any]:
    """One run; its evaluations with the figures of each task."""
    import rftgym
    from rftgym.runs.directory import RunDirectory

    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory:
        result = rftgym.train(env=env, seed=seed, runs=directory, curriculum={"kind": kind}, **options)
        run = RunDirectory.open(result["run"])
        evaluations, metrics = run.evaluations(), run.metrics()
    return {
        "kind": kind,
        "seed": seed,
        "seconds": time.perf_counter() - started,
        "steps": result["steps"],
        "before": evaluations["before"],
        "after": evaluations["after"],
        "validation": [
            [int(name.removeprefix("step-")), evaluation["success"]["mean"]]
            for name, evaluation in evaluations.items()
            if name.startswith("step-")
        ],
        "without_signal": fmean(line["groups/zero_spread"] for line in metrics),
        "difficulty": [line.get("curriculum/difficulty") for line in metrics],
        "training": [line["success/mean"] for line in metrics],
    }


def told(run: dict[str, Any], plain: dict[str, Any]) -> dict[str, Any]:
    """What is worth keeping of a run, with its difference to the plain one."""
    from rftgym.evaluation import Evaluation

    after, other = (Evaluation.from_json(each["after"]) for each in (run, plain))
    difference = after.versus(other).difference
    figures = {name: value for name, value in run.items() if name not in ("before", "after")}
    return {
        **figures,
        "before": run["before"]["success"],
        "after": run["after"]["success"],
        "against_off": None if difference is None else difference.success,
    }


def line(run: dict[str, Any]) -> str:
    """One line about a run."""
    shares = "{mean:.1%} [{low:.1%}, {high:.1%}]"
    against = "{mean:+.1%} [{low:+.1%}, {high:+.1%}]".format(**run["against_off"])
    return (
        f"seed {run['seed']} {run['kind']:>8}: {shares.format(**run['before'])} -> {shares.format(**run['after'])}, "
        f"against off {against}; {run['without_signal']:.0%} of groups without a signal; {run['seconds']:.0f} s"
    )


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("env", help="its id, or a mix")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, help="instead of the default")
    parser.add_argument("--n", type=int, help="held-out tasks, instead of the default")
    parser.add_argument(
        "--kinds", nargs="+", default=KINDS, choices=KINDS, help="compared with the first of them"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    options: dict[str, Any] = {"trainer": {"steps": arguments.steps} if arguments.steps else {}}
    if arguments.n:
        options["evaluation"] = {"n": arguments.n}
    found = []
    for seed in arguments.seeds:
        runs = [trained(arguments.env, kind, seed, options) for kind in KINDS if kind in arguments.kinds]
        plain = runs[0]
        for run in runs:
            found.append(told(run, plain))
            print(line(found[-1]), file=sys.stderr, flush=True)
    if arguments.json:
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
