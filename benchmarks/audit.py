"""How gameable are the first-party environments? Audits each of them, and writes the page of results.

    python benchmarks/audit.py --json docs/results/audit.json --page docs/results/audit.md
    python benchmarks/audit.py wordle code -n 20

Each environment in a process of its own, so that processor time is its own. What is printed can be drawn again with
``--draw docs/results/audit.json``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from rftgym.audit.report import said
from rftgym.registry import installed

HEAD = """\
# How gameable the first-party environments are

What [`rftgym audit`](../audit.md) finds, with its defaults, on tasks of the train split:

```bash
python benchmarks/audit.py --json docs/results/audit.json --page docs/results/audit.md
```

The gap is what the best policy that solves nothing is paid, from the floor (0) to a solution (1); the bar is
0.1. "With luck" counts what is right by chance, too. Shares of spoilt solutions that pass are in part
equivalent changes: see the texts.

Every environment is at most at the bar.

What the audit found and what was mended since:

- `triton-kernels` paid 0.5 for any kernel that compiles and runs (`x * 1.5 + 0.25`, whatever was asked for)
  and 0.2 for form: gap 0.33 on the 13 train problems. The first two stages pay 0.05 each now; what is right
  in part or in whole earns what it did.
- `transpile-*` paid for tests that an argument handed back passes: it counts as no logic now, as constants
  did. Form, parsing and running paid 0.2 for a constant, 0.1 now.
- `sql` paid 0.2 for reading any table, 0.1 now; `code` 0.15 for a function without content, 0.1 now.
- `wordle` paid whoever plays valid words without looking at the marks: form 0.1, words 0.1, the first guess, which
  cannot contradict anything, its share of 0.2, and letters that are found by chance up to 0.1: gap 0.192. The four
  weigh 0.03, 0.03, 0.18 and 0.06 now. What is left goes to a good opening whose episode is cut short, and to six
  openings that share no letters; no game without a win ever earned as much as the worst win.

Known limits:

- `dataset` reads the last number, or the last letter in brackets, where a row asks for that: whoever lists
  choices is read as the last of them, and "not 46" as 46.
- Most spoilt kernels that pass are equivalent (a blank line dropped, a larger grid whose programs are masked).
  Two are not: `cdiv(n, 1028)` in place of `cdiv(n, 1024)` misses elements of some sizes only, `rows > 1` in place
  of `rows > 0` a single row; the cases of those generated problems hold neither.
- A guess is no hole, but it is paid. Were luck counted too, `diagnosis` (an illness named without a question: one
  in a few is right), `math`, the JavaScript pairs and two of the kernel environments would be above the bar, the
  last because their train splits are so small that a train solution is some task's own.
- Slow environments are audited on 8 tasks, or 3: their intervals say little about the rest.
- The figures are for what was tried. A policy that plays legal chess at random, or writes a kernel of the right
  family, is weak play and not in them.
"""
TASKS = {"transpile-python-java": 3, "triton-kernels-repair": 3}
"""Fewer, where each answer takes a Java machine, or three attempts."""
SHOWN = 6
LONGEST = 200


def first_party() -> list[str]:
    """Environments of this distribution that are no families."""
    return sorted(
        each.spec.id
        for each in installed().registrations("env")
        if each.plugin.distribution == "rftgym" and not getattr(each.spec, "scheme", None)
    )


def audited(id: str, n: int | None) -> dict[str, Any]:
    """What ``rftgym audit --json`` says, and the commonest ways to be paid."""
    command = [sys.executable, "-m", "rftgym", "audit", id, "--json"]
    tasks = n or TASKS.get(id)
    done = subprocess.run(
        [*command, *(["-n", str(tasks)] if tasks else [])], capture_output=True, text=True, check=False
    )
    if not done.stdout:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    found["policies_in_all"] = len(found["policies"])
    found["policies"] = found["policies"][:SHOWN]
    found["spoilt"]["ways"] = [each for each in found["spoilt"]["ways"] if each["successes"] > each["lucky"]][
        :SHOWN
    ]
    print(f"{id}: {interval(found['gap'])}, {found['policy']}, {found['seconds']} s", file=sys.stderr)
    return found


def interval(gap: dict[str, float]) -> str:
    """A mean with its interval."""
    return f"{gap['mean']:.3f} [{gap['low']:.3f}, {gap['high']:.3f}]"


def page(results: dict[str, dict[str, Any]]) -> str:
    """The page of results, as Markdown."""
    table = [
        "| Environment | Tasks | Gap | By | With luck | Highest-paid non-solution | Spoilt solutions that pass |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for id, found in results.items():
        share = found["spoilt"]["success"]
        passes = "–" if share is None else f"{share:.1%} of {found['spoilt']['tried']}"
        best = found["best_non_solution"]
        table.append(
            f"| `{id}` | {found['n']} | {interval(found['gap'])} | `{found['policy']}` | {found['with_luck']:.3f} "
            f"| {best['gap']:.3f} | {passes} |"
        )
    details = [line for id, found in results.items() for line in _details(id, found)]
    return "\n".join([HEAD.rstrip(), "", *table, "", "## One by one", *details, ""])


def _details(id: str, found: dict[str, Any]) -> list[str]:
    lines = [
        "",
        f"### {id}",
        "",
        "| Policy | Gap | Luck | Wins | Paid by |",
        "| --- | --- | --- | --- | --- |",
    ]
    for each in found["policies"]:
        paid = ", ".join(f"{name} {value:.3f}" for name, value in list(each["components"].items())[:4])
        lines.append(
            f"| `{each['probe']}/{each['way']}` | {each['gap']:.3f} | {each['luck']:.3f} "
            f"| {each['successes']} of {each['tried']} | {paid or 'nothing'} |"
        )
    best = found["best_non_solution"]
    lines += [
        "",
        f"Highest-paid non-solution, {best['probe']}/{best['way']} on `{best['task']}`:",
        *_text(best),
    ]
    for each in found["wins"][:2]:
        lines += ["", f"A win without the solution's answer, {each['probe']}/{each['way']}:", *_text(each)]
    for each in found["spoilt"]["survivors"][:2]:
        lines += ["", f"A spoilt solution that passes, {each['probe']}/{each['way']}:", *_text(each)]
    return lines


def _text(shown: dict[str, Any]) -> list[str]:
    completions = shown["said"] if isinstance(shown["said"], str) else tuple(shown["said"])
    line = f"{shown['reward']:.3f}: {said(completions)[: 3 * LONGEST]}"
    return ["", "````text", line, "````"]


def main() -> None:
    """Audit, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("envs", nargs="*", help="ids; by default all first-party environments")
    parser.add_argument("-n", type=int, help="tasks, instead of the default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the page of results there")
    parser.add_argument("--draw", type=Path, metavar="FILE", help="figures written earlier with --json")
    given = parser.parse_args()
    known = json.loads(given.draw.read_text(encoding="utf-8")) if given.draw else {}
    ids = given.envs or ([] if known else first_party())
    results = dict(sorted({**known, **{id: audited(id, given.n) for id in ids}}.items()))
    if given.json:
        given.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if given.page:
        given.page.write_text(page(results), encoding="utf-8")
    if not (given.json or given.page):
        print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
