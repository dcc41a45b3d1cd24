"""Does an environment's default run learn, whatever its seed? Trains with three seeds and compares held-out successes.

    python benchmarks/learning.py wordle --json > docs/results/wordle_learning.json
    python benchmarks/learning.py wordle --draw docs/results/wordle_learning.json --svg docs/assets/wordle.svg

The first command trains (minutes a seed on 2 cores); the second draws the picture of the README from what it printed.
Likewise for other environments, with --trainer for another algorithm than the default one, and with --kwargs for a part
of an environment's tasks.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 260, 52, 36, 16, 16
COLOURS = ("#0d9488", "#d97706", "#7c3aed")


def trained(
    env: str, seed: int, options: dict[str, Any], kwargs: dict[str, Any] | None = None
) -> dict[str, Any]:
    """One run: successes before, on the way (validation tasks) and after (test tasks), and its seconds."""
    import rftgym
    from rftgym.runs.directory import RunDirectory

    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory:
        result = rftgym.train(env={"id": env, "kwargs": kwargs or {}}, seed=seed, runs=directory, **options)
        evaluations = RunDirectory.open(result["run"]).evaluations()
        metrics = RunDirectory.open(result["run"]).metrics()
    return {
        "seed": seed,
        "seconds": time.perf_counter() - started,
        "steps": result["steps"],
        "n": result["after"]["n"],
        "before": result["before"]["success"],
        "after": result["after"]["success"],
        "difference": result["after"]["difference"]["success"],
        "components": {
            name: [result[when]["components"][name]["mean"] for when in ("before", "after")]
            for name in result["after"]["components"]
        },
        "validation": [
            [int(name.removeprefix("step-")), evaluation["success"]["mean"]]
            for name, evaluation in evaluations.items()
            if name.startswith("step-")
        ],
        "training": [[line["step"], line["success/mean"]] for line in metrics],
    }


def picture(runs: Sequence[dict[str, Any]]) -> str:
    """The share of held-out successes over the steps, one line a seed, with the 95% intervals before and after."""
    steps = max(run["steps"] for run in runs)
    top = max(run["after"]["high"] for run in runs) * 1.05

    def x(step: float) -> float:
        return round(LEFT + step / steps * (WIDTH - LEFT - RIGHT - 8), 1)

    def y(share: float) -> float:
        return round(HEIGHT - BOTTOM - share / top * (HEIGHT - TOP - BOTTOM), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff"/>',
    ]
    for share in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        if share <= top and (top < 0.6 or round(share * 10) % 2 == 0):
            parts.append(f'<path d="M{LEFT} {y(share)}H{WIDTH - RIGHT}" stroke="#e5e7eb"/>')
            parts.append(
                f'<text x="{LEFT - 8}" y="{y(share) + 4}" text-anchor="end" fill="#374151">{share:.0%}</text>'
            )
    for step in range(0, steps + 1, max(10, steps // 60 * 10)):
        parts.append(
            f'<text x="{x(step)}" y="{HEIGHT - 16}" text-anchor="middle" fill="#374151">{step}</text>'
        )
    for index, run in enumerate(runs):
        colour, shift = COLOURS[index % len(COLOURS)], 3 * index - 3
        points = [(0, run["before"]["mean"]), *run["validation"], (run["steps"], run["after"]["mean"])]
        line = " ".join(f"{x(step)},{y(share)}" for step, share in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for step, interval in ((0, run["before"]), (run["steps"], run["after"])):
            at = x(step) + shift
            parts.append(
                f'<path d="M{at} {y(interval["low"])}V{y(interval["high"])}" stroke="{colour}" stroke-width="2"/>'
            )
        parts.append(
            f'<text x="{LEFT + 12 + 64 * index}" y="{TOP + 14}" fill="{colour}">seed {run["seed"]}</text>'
        )
    parts.append(
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 2}" text-anchor="end" fill="#374151">steps</text></svg>'
    )
    return "\n".join(parts) + "\n"


def main() -> None:
    """Train and print, or draw what was printed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("env", help="its id")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, help="instead of the default")
    parser.add_argument("--trainer", help="instead of the default")
    parser.add_argument(
        "--kwargs", type=json.loads, help='of the environment, as JSON: {"difficulty": [0, 0.2]}'
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--draw", type=Path, help="figures printed earlier with --json")
    parser.add_argument("--svg", type=Path, help="with --draw: where the picture goes")
    arguments = parser.parse_args()
    if arguments.draw:
        arguments.svg.parent.mkdir(parents=True, exist_ok=True)
        arguments.svg.write_text(picture(json.loads(arguments.draw.read_text())), encoding="utf-8")
        return
    asked = {"id": arguments.trainer, "steps": arguments.steps}
    options: dict[str, Any] = {"trainer": {name: value for name, value in asked.items() if value is not None}}
    runs = []
    for seed in arguments.seeds:
        runs.append(trained(arguments.env, seed, options, arguments.kwargs))
        print(summary(runs[-1]), file=sys.stderr, flush=True)
    if arguments.json:
        print(json.dumps(runs, indent=1))


def summary(run: dict[str, Any]) -> str:
    """One line about a run."""
    shares = "{mean:.1%} [{low:.1%}, {high:.1%}]"
    before, after = shares.format(**run["before"]), shares.format(**run["after"])
    return f"seed {run['seed']}: {before} -> {after} of {run['n']} held-out tasks, {run['seconds']:.0f} s"


if __name__ == "__main__":
    main()
