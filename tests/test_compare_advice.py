"""The advice of a comparison, on constructed results: every branch, and never more than the intervals allow."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftgym.compare.advice import advice, verdict

Bounds = tuple[float, float]
COST = {"few-shot": 0.0, "sft": 40.0, "rft": 200.0, "sft-rft": 240.0}


def results(
    gains: dict[int, dict[str, Bounds | None]],
    differences: dict[tuple[int, str, str], Bounds] | None = None,
    *,
    base: float = 0.05,
    seeds: int = 3,
    turns: float = 1.0,
) -> dict[str, Any]:
    """By size and arm the bounds of the gain over the base; differences not given are clear in favour of the better."""
    cells, pairs = [], []
    for size, arms in gains.items():
        for arm, bounds in arms.items():
            cells.append(_cell(arm, size, bounds, base))
        played = {arm: sum(bounds) / 2 for arm, bounds in arms.items() if bounds is not None}
        for one, other in combinations(played, 2):
            apart = played[one] - played[other]
            low, high = (differences or {}).get((size, one, other), (0.5 * apart, 1.5 * apart))
            interval = {"mean": (low + high) / 2, "low": min(low, high), "high": max(low, high)}
            pairs.append({"size": size, "arm": one, "minus": other, "success": interval})
    return {
        "env": "wordle",
        "model": "tiny",
        "sizes": list(gains),
        "seeds": list(range(seeds)),
        "base": {"success": {"mean": base, "low": 0.0, "high": 1.0}, "turns": turns},
        "cells": cells,
        "differences": pairs,
    }


def _cell(arm: str, size: int, bounds: Bounds | None, base: float) -> dict[str, Any]:
    if bounds is None:
        return {"arm": arm, "size": size, "gain": None, "success": None, "note": "too long"}
    mean = sum(bounds) / 2
    return {
        "arm": arm,
        "size": size,
        "gain": {"mean": mean, "low": bounds[0], "high": bounds[1]},
        "success": {"mean": base + mean, "low": base + bounds[0], "high": base + bounds[1]},
        **({"cpu_seconds": COST[arm]} if COST[arm] else {}),
    }


def test_no_arm_beats_the_base() -> None:
    said = advice(results({10: {"sft": (-0.02, 0.03), "rft": (0.0, 0.04)}}))
    assert "with 10 tasks no arm is shown to beat the base model's 5.0%" in said
    assert "more tasks or a larger model" in said
    assert "take " not in said


def test_no_arm_beats_a_base_that_hardly_ever_succeeds() -> None:
    said = advice(results({10: {"rft": (-0.001, 0.002)}}, base=0.001))
    assert "easier tasks, a reward with more steps to it, or a larger model" in said


def test_one_arm_is_clearly_the_best() -> None:
    said = advice(results({50: {"sft": (0.2, 0.3), "rft": (0.05, 0.1)}}))
    assert "with 50 tasks take sft, which solves 30.0% of the held-out tasks, +25.0 points" in said
    assert "(95% interval 20.0 to 30.0), more than rft" in said
    assert "no difference" not in said


def test_overlapping_intervals_show_no_difference_and_the_cheaper_arm_is_advised() -> None:
    found = results({50: {"sft": (0.2, 0.3), "rft": (0.22, 0.32)}}, {(50, "sft", "rft"): (-0.1, 0.05)})
    said = advice(found)
    assert "no difference is shown between sft and rft, so take the cheapest to train, sft" in said
    assert "(sft 40 s of processor time and rft 3 min 20 s of processor time)" in said


def test_an_arm_whose_scores_vary_is_not_advised_over_one_that_scores_higher() -> None:
    gains: dict[int, dict[str, Bounds | None]] = {
        10: {"sft": (0.06, 0.12), "rft": (0.01, 0.16), "sft-rft": (0.1, 0.2)}
    }
    apart = {(10, "rft", "sft-rft"): (-0.16, 0.03), (10, "sft", "rft"): (-0.07, 0.08)}
    found = verdict(results(gains, apart), 10)
    assert (found.pick, found.ties, found.beaten, found.vague) == (
        "sft-rft",
        ("sft-rft",),
        ("sft",),
        ("rft",),
    )
    said = advice(results(gains, apart))
    assert (
        "take sft-rft" in said
        and "more than sft; rft may do as well, but the scores vary too much to say" in said
    )


def test_a_prompt_that_does_as_well_is_cheaper_than_any_training() -> None:
    found = results({5: {"few-shot": (0.2, 0.3), "sft": (0.2, 0.32)}}, {(5, "few-shot", "sft"): (-0.1, 0.1)})
    assert verdict(found, 5).pick == "few-shot"
    assert "few-shot no training and sft 40 s" in advice(found)


def test_an_arm_that_is_neither_better_than_the_base_nor_worse_than_the_best_is_said_to_be_open() -> None:
    found = results({5: {"sft": (0.01, 0.1), "rft": (-0.02, 0.1)}}, {(5, "sft", "rft"): (-0.05, 0.08)})
    said = advice(found)
    assert "take sft" in said
    assert "it is not shown to differ from rft, nor rft from the base model" in said


def test_an_arm_that_falls_below_the_base_is_named() -> None:
    said = advice(results({10: {"sft": (-0.05, -0.01), "rft": (-0.02, 0.02)}}))
    assert "no arm is shown to beat" in said and "sft falls below the base model there" in said
    both = advice(results({10: {"sft": (-0.05, -0.01), "rft": (-0.04, -0.02)}}))
    assert "sft and rft fall below the base model there" in both


def test_sizes_with_the_same_outcome_share_a_clause_and_others_do_not() -> None:
    found = results(
        {
            10: {"sft": (0.1, 0.2), "rft": (0.01, 0.05)},
            50: {"sft": (0.2, 0.3), "rft": (0.01, 0.05)},
            100: {"sft": (0.1, 0.2), "rft": (0.3, 0.4)},
        }
    )
    said = advice(found)
    assert "with 10 and 50 tasks take sft" in said and "(figures for 50)" in said
    assert "; with 100 tasks take rft" in said


def test_verifiability_what_remains_without_solutions() -> None:
    gains = results({50: {"sft": (0.2, 0.3), "rft": (0.05, 0.1)}})
    assert "where there are none, rft with 50 tasks still gains 7.5 points for 3 min 20 s" in advice(gains)
    nothing = results({50: {"sft": (0.2, 0.3), "rft": (-0.05, 0.1)}})
    assert "without them rft with 50 tasks is not shown to gain anything" in advice(nothing)
    alone = results({50: {"sft": (0.2, 0.3)}})
    assert "asks for a solved example of each task." in advice(alone)
    rft = results({50: {"sft": (0.0, 0.1), "rft": (0.3, 0.4)}})
    assert "it asks for a reward that can be computed, not for solved tasks" in advice(rft)


def test_complexity_and_what_one_seed_cannot_say() -> None:
    said = advice(results({50: {"sft": (0.2, 0.3)}}, seeds=1, turns=4.94))
    assert "all this in episodes of 4.9 turns; one seed only, so how much runs differ is not known." in said


def test_an_arm_that_could_not_be_played_takes_no_part() -> None:
    found = results({10: {"few-shot": None, "sft": (0.1, 0.2)}})
    assert verdict(found, 10).pick == "sft"
    assert "few-shot" not in advice(found)


bounds = st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)).map(lambda two: (min(two), max(two)))


@given(
    st.fixed_dictionaries({arm: st.one_of(st.none(), bounds) for arm in COST}),
    st.lists(bounds, min_size=6, max_size=6),
)
def test_never_more_than_the_intervals_allow(gains: dict[str, Bounds | None], apart: list[Bounds]) -> None:
    pairs = {(9, one, other): each for (one, other), each in zip(combinations(COST, 2), apart, strict=True)}
    found = results({9: gains}, pairs)
    outcome, said = verdict(found, 9), advice(found)
    shown = {arm for arm, each in gains.items() if each is not None and each[0] > 0}
    assert (outcome.pick is None) == (not shown)
    assert ("take " in said.partition(";")[0]) == bool(shown)
    assert set(outcome.ties) <= shown
    assert set(outcome.worse) == {arm for arm, each in gains.items() if each is not None and each[1] < 0}
    for arm in outcome.beaten:  # an arm that is called beaten has an interval that says so
        intervals = [p["success"] for p in found["differences"] if arm in (p["arm"], p["minus"])]
        assert any(each["low"] > 0 or each["high"] < 0 for each in intervals)
    if outcome.pick:
        assert COST[outcome.pick] == min(COST[arm] for arm in outcome.ties)
    assert said.endswith(".") and "\n" not in said


@pytest.mark.parametrize("sizes", [[10], [10, 50, 100]])
def test_it_is_one_sentence(sizes: list[int]) -> None:
    said = advice(results({size: {"sft": (0.1, 0.2), "rft": (-0.1, 0.2)} for size in sizes}))
    assert ". " not in said
