"""Every figure of a comparison, made from what its runs wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from rftgym.compare.advice import advice
from rftgym.compare.folders import measures_of, run_of
from rftgym.compare.jobs import arm_config, reported_id
from rftgym.compare.plan import Arm, Plan
from rftgym.compare.pooled import difference_ST, mean_of, pooled_interval, task_means
from rftgym.compare.rates import best_trial, tried
from rftgym.plugins import Plugins

LAYOUT = 1
Curve = list[tuple[float, dict[str, Any]]]
"""(processor seconds of training, evaluation on the validation split), in the order of time."""


def collected(directory: Path, plan: Plan, plugins: Plugins) -> dict[str, Any]:
    """The contents of ``results.json``; every job must be over.

    Scores are means over held-out tasks (and, pooled, over seeds) with 95% intervals, see
    :func:`rftgym.compare.pooled.pooled_interval`. Gains and differences are paired by task and seed.
    """
    base = measures_of(directory, "base")
    arms = [arm for arm in plan.arms if arm != "base"]
    cells = [_cell(directory, plan, base, arm, size) for arm in arms for size in plan.sizes]
    _add_equal_compute(directory, plan, base, cells)
    results = {
        "layout": LAYOUT,
        "env": plan.env,
        "model": plan.model,
        "trainer": plan.trainer,
        "sizes": plan.sizes,
        "seeds": plan.seeds,
        "arms": plan.arms,
        "base": _base(base),
        "rates": {arm: _rate(directory, plan, arm, plugins) for arm in plan.runs_trained},
        "cells": cells,
        "differences": [_difference(one, other) for one, other in _pairs(cells)],
    }
    for cell in cells:
        del cell["scores"]
    return {**results, "advice": advice(results)}


def _base(base: Mapping[str, Any]) -> dict[str, Any]:
    test = base["test"]
    scores = {measure: [task_means(test, measure)] for measure in ("success", "reward")}
    return {
        **_scored(scores),
        "n": test["n"],
        "split": test["split"],
        "unscored": test["unscored"],
        "turns": test["turns"],
        "off_task": base["off_task"],
        "others": {id: each["success"] for id, each in base["others"].items()},
    }


def _scored(scores: Mapping[str, list[list[float]]]) -> dict[str, Any]:
    return {
        "success": pooled_interval(scores["success"], share=True),
        "reward": pooled_interval(scores["reward"]),
    }


def _cell(directory: Path, plan: Plan, base: Mapping[str, Any], arm: Arm, size: int) -> dict[str, Any]:
    """One arm at one size: pooled scores, and each seed's."""
    seeds = [_seed(directory, plan, base, arm, size, seed) for seed in plan.seeds]
    cell: dict[str, Any] = {"arm": arm, "size": size, "seeds": [each for each, _ in seeds]}
    tests = [test for _, test in seeds if test is not None]
    if len(tests) < len(seeds):
        note = next(each["note"] for each, test in seeds if test is None)
        return {**cell, "success": None, "reward": None, "gain": None, "note": note, "scores": None}
    scores = {measure: [task_means(test, measure) for test in tests] for measure in ("success", "reward")}
    gains = {m: difference_ST(scores[m], [task_means(base["test"], m)]) for m in scores}
    cell |= _scored(scores)
    cell |= {"gain": pooled_interval(gains["success"]), "reward_gain": pooled_interval(gains["reward"])}
    return {**cell, **_means(cell["seeds"]), "scores": scores["success"]}


def _seed(
    directory: Path, plan: Plan, base: Mapping[str, Any], arm: Arm, size: int, seed: int
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """What one seed came to, and its evaluation on the held-out tasks (None: it could not be played)."""
    id = reported_id(arm, size, seed)
    measures = measures_of(directory, id)
    if arm == "few-shot":
        found = {"seed": seed, "job": id, "shots": measures["shots"]}
        if "test" not in measures:
            return {**found, "note": measures["note"]}, None
        test = measures["test"]
        return {**found, "success": test["success"], "reward": test["reward"]}, test
    test = run_of(directory, id).evaluations()["after"]
    return {
        "seed": seed,
        "job": id,
        "run": measures["run"],
        "steps": measures["steps"],
        "learning_rate": measures["learning_rate"],
        "success": test["success"],
        "reward": test["reward"],
        "kl_per_token": measures["kl"]["per_token"],
        "kl_per_episode": measures["kl"]["per_episode"],
        "off_task_change": measures["off_task"]["nats_per_character"]
        - base["off_task"]["nats_per_character"],
        "others": {
            id: pooled_interval(
                difference_ST([task_means(each, "success")], [task_means(base["others"][id], "success")])
            )
            for id, each in measures["others"].items()
        },
        **_cost(directory, arm, size, seed),
    }, test


def _cost(directory: Path, arm: Arm, size: int, seed: int) -> dict[str, float]:
    """Of training; SFT then RFT has paid for its SFT too."""
    ids = [reported_id(arm, size, seed), *([reported_id("sft", size, seed)] if arm == "sft-rft" else [])]
    costs = [measures_of(directory, id)["training"] for id in ids]
    names = ("cpu_seconds", "wall_seconds", "tokens_sampled", "tokens_trained")
    return {name: sum(cost[name] for cost in costs) for name in names}


MEANS = (
    "kl_per_token",
    "kl_per_episode",
    "off_task_change",
    "cpu_seconds",
    "wall_seconds",
    "tokens_sampled",
    "tokens_trained",
    "shots",
)


def _means(seeds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means over seeds of what has no interval, and of the changes in other environments."""
    found = {name: mean_of([seed[name] for seed in seeds]) for name in MEANS if name in seeds[0]}
    others = seeds[0].get("others", {})
    changes = {id: mean_of([seed["others"][id]["mean"] for seed in seeds]) for id in others}
    return {**found, **({"others": changes} if changes else {})}


# ---- equal compute


def _add_equal_compute(
    directory: Path, plan: Plan, base: Mapping[str, Any], cells: Sequence[dict[str, Any]]
) -> None:
    """Each trained arm's validation score at what the cheapest trained arm's training took, seed by seed."""
    for size in plan.sizes:
        trained = [cell for cell in cells if cell["size"] == size and cell["arm"] != "few-shot"]
        if not trained:
            continue
        budgets = [min(cell["seeds"][i]["cpu_seconds"] for cell in trained) for i in range(len(plan.seeds))]
        for cell in trained:
            reached = [
                at_budget(_curve(directory, base, cell["arm"], size, seed), budget)
                for seed, budget in zip(plan.seeds, budgets, strict=True)
            ]
            scores = [task_means(evaluation, "success") for _, evaluation in reached]
            cell["equal_compute"] = {
                "cpu_seconds": mean_of(budgets),
                "used_cpu_seconds": mean_of([used for used, _ in reached]),
                "success": pooled_interval(scores, share=True),
            }


def at_budget(curve: Curve, budget: float) -> tuple[float, dict[str, Any]]:
    """The last evaluation that training had reached within a budget of processor seconds."""
    return [point for point in curve if point[0] <= budget + 1e-9][-1]


def _curve(directory: Path, base: Mapping[str, Any], arm: Arm, size: int, seed: int) -> Curve:
    """An arm's validation curve from the base model on."""
    if arm == "sft-rft":
        before = _curve(directory, base, "sft", size, seed)
        return before + _own_curve(directory, reported_id(arm, size, seed), before[-1][0])
    return [(0.0, base["validation"]), *_own_curve(directory, reported_id(arm, size, seed), 0.0)]


def _own_curve(directory: Path, id: str, paid: float) -> Curve:
    measures = measures_of(directory, id)
    cost = {int(step): seconds for step, seconds in measures["training"]["curve"]}
    on_the_way = {
        int(name.removeprefix("step-")): evaluation
        for name, evaluation in run_of(directory, id).evaluations().items()
        if name.startswith("step-")
    }
    points = [(paid + cost[step], found) for step, found in on_the_way.items() if step in cost]
    return [*points, (paid + measures["training"]["cpu_seconds"], measures["validation"])]


# ---- arms against each other, learning rates


def _pairs(cells: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    played = [cell for cell in cells if cell["scores"] is not None]
    return [(one, other) for one, other in combinations(played, 2) if one["size"] == other["size"]]


def _difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    interval = pooled_interval(difference_ST(one["scores"], other["scores"]))
    return {"size": one["size"], "arm": one["arm"], "minus": other["arm"], "success": interval}


def _rate(directory: Path, plan: Plan, arm: Arm, plugins: Plugins) -> dict[str, Any]:
    config = arm_config(plan, arm, plan.sizes[-1], plugins)
    default = config.trainer.own["learning_rate"]
    candidates = tried(directory, plan, arm)
    if not candidates:
        return {"default": default, "chosen": default, "tried": []}
    chosen = best_trial(candidates, config.evaluation.measure)
    return {
        "default": default,
        "chosen": chosen["rate"],
        "tried": candidates,
        "cpu_seconds": sum(each["cpu_seconds"] for each in candidates),
    }
