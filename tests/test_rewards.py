"""The rewards and parsers that fit any environment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftgym import ParserSpec, Rubric, Task, Trajectory, Turn
from rftgym.parser import Parsed
from rftgym.registry import installed, make_reward

texts = st.lists(st.text(), min_size=1, max_size=4)


def value(id: str, *completions: str, well_formed: bool = True) -> float:
    turns = [Turn((), completion, well_formed=well_formed) for completion in completions]
    trajectory = Trajectory("test", Task("t", {}), 0, turns=turns)
    score = Rubric([make_reward(id, 1.0)], success=id).score(trajectory)
    assert trajectory.failures == [] and score.reward is not None
    return score.reward


@given(texts)
@pytest.mark.parametrize("id", ["brevity", "no-repetition", "well-formed"])
def test_any_text_can_be_judged(id: str, completions: list[str]) -> None:
    assert 0 <= value(id, *completions) <= 1


@given(st.text(), st.text(min_size=1))
def test_brevity_falls_with_every_character(text: str, more: str) -> None:
    assert value("brevity", text) > value("brevity", text + more) > 0


def test_brevity_is_a_half_at_200_characters() -> None:
    assert (value("brevity", ""), value("brevity", "x" * 200)) == (1.0, 0.5)
    assert value("brevity", "", "x" * 200) == 0.75


@pytest.mark.parametrize(
    ("completions", "expected"),
    [
        (["one two three four five"], 1.0),
        (["a b c d a b c d a b c d"], 4 / 9),
        (["no no no no no no no no"], 1 / 5),
        (["<guess>crane</guess>"] * 4, 1 / 4),
        (["<guess>crane</guess>", "<guess>slate</guess>"], 1.0),
        (["", " \n"], 1.0),
    ],
)
def test_repetition_is_found_within_and_between_turns(completions: list[str], expected: float) -> None:
    assert value("no-repetition", *completions) == pytest.approx(expected)


def test_well_formed_is_what_the_parser_said() -> None:
    assert (value("well-formed", "x"), value("well-formed", "x", well_formed=False)) == (1.0, 0.0)


def test_parsers_are_found_by_id() -> None:
    def parser(id: str) -> type:
        loaded: type = installed().spec(ParserSpec, id).load()
        return loaded

    assert parser("tag")().parse("<answer>4</answer>") == Parsed("4", True)
    assert parser("text")().parse(" 4 ") == Parsed("4", True)
