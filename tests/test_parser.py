"""Parsers accept any text, find the answer where there is one, and cannot be talked into two."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftgym.errors import UsageError
from rftgym.parser import Parsed, TagParser, TextParser

PARSER = TagParser("answer")
pieces = st.lists(
    st.sampled_from(
        ["<answer>", "</answer>", "<think>", "</think>", "4", " ", "\n", "<", ">", "é🦄", "answer"]
    ),
    max_size=12,
).map("".join)


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("<answer>4</answer>", Parsed("4", True)),
        ("I think <answer>\n 4 </answer> .", Parsed("4", True)),
        ("<answer></answer>", Parsed("", True)),
        ("<answer>1 < 2</answer>", Parsed("1 < 2", True)),
        ("<answer>3</answer><answer>4</answer>", Parsed("4", False)),
        ("<answer><answer>4</answer></answer>", Parsed("4</answer>", False)),
        ("<answer>4", Parsed(None, False)),
        ("4</answer>", Parsed(None, False)),
        ("</answer>4<answer>", Parsed(None, False)),
        ("<Answer>4</Answer>", Parsed(None, False)),
        ("", Parsed(None, False)),
        # What is thought is not said.
        ("<think><answer>3</answer></think><answer>4</answer>", Parsed("4", True)),
        ("perhaps <answer>3</answer></think><answer>4</answer>", Parsed("4", True)),
        ("<think><answer>3</answer></think>", Parsed(None, False)),
        ("<answer>4</answer><think><answer>3</answer>", Parsed("4", True)),
        ("<think></think><think>a</think><answer>4</answer>", Parsed("4", True)),
    ],
)
def test_tags(completion: str, expected: Parsed) -> None:
    assert PARSER.parse(completion) == expected


def test_thoughts_can_be_of_another_name_or_none() -> None:
    said = "<think><answer>3</answer></think>"
    assert TagParser("answer", thoughts=None).parse(said) == Parsed("3", True)
    assert TagParser("answer", thoughts="plan").parse(said) == Parsed("3", True)
    assert TagParser("think").parse("<think>3</think>") == Parsed("3", True)


@given(pieces)
def test_the_quick_way_and_the_long_way_agree(text: str) -> None:
    """A space in front keeps the parser from its short cut, and changes nothing else."""
    assert PARSER.parse(text) == PARSER.parse(" " + text)


@given(st.text(), pieces)
def test_well_formed_is_one_pair_and_its_inside(noise: str, text: str) -> None:
    for completion in (noise, text, noise + text):
        answer, well_formed = PARSER.parse(completion)
        if well_formed:
            assert (
                completion.count("<answer>") >= 1 and "<answer>" not in answer and "</answer>" not in answer
            )
        assert (answer is None) <= (not well_formed)


@given(st.text(alphabet=st.characters(blacklist_characters="<>"), max_size=40))
def test_whatever_stands_between_the_tags_comes_out_stripped(inside: str) -> None:
    assert PARSER.parse(f"so: <answer>{inside}</answer>").answer == inside.strip()


@pytest.mark.parametrize(
    "unit", ["<answer>", "</answer>", "<think>", "</think>", "<answer></answer><think>", "<"]
)
def test_time_is_linear_in_the_length(unit: str) -> None:
    def seconds(n: int) -> float:
        text, best = unit * n, 1.0
        for _ in range(5):
            begin = time.process_time()
            PARSER.parse(text)
            best = min(best, time.process_time() - begin)
        return best

    assert seconds(40_000) < 40 * max(
        seconds(4_000), 1e-4
    )  # 10 where it is linear, 100 where it is quadratic


@pytest.mark.parametrize("name", ["", "a b", "<a>", "1a", "a>"])
def test_a_tag_must_be_a_name(name: str) -> None:
    with pytest.raises(UsageError, match="is not a name"):
        TagParser(name)


@given(st.text())
def test_the_whole_text(text: str) -> None:
    assert TextParser().parse(text) == (text.strip() or None, bool(text.strip()))
