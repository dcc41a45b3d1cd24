"""Wordle's rules, word lists, notes and demonstrations."""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rftgym_wordle import prompts
from rftgym_wordle.demonstrations import FAVOURITES, Habits, demonstration, demonstrations, messages, play
from rftgym_wordle.game import GUESSES, WIN, Notes, consistent, feedback, read_guess
from rftgym_wordle.words import answers, answers_in, guesses, split_of

# few letters, so that repeated letters are the rule
doubled = st.text(alphabet="abc", min_size=5, max_size=5)
answer_words = st.sampled_from(answers())
guess_words = st.sampled_from(sorted(guesses()))
any_words = st.one_of(doubled, answer_words)


def reference_feedback(guess: str, answer: str) -> str:
    """The rule by counting: a letter's tiles are coloured as often as the answer holds it, greens first."""
    marks = ["g" if g == a else "." for g, a in zip(guess, answer, strict=True)]
    for letter in set(guess):
        budget = answer.count(letter) - sum(
            m == "g" and g == letter for m, g in zip(marks, guess, strict=True)
        )
        for place, other in enumerate(guess):
            if other == letter and marks[place] == "." and budget > 0:
                marks[place], budget = "y", budget - 1
    return "".join(marks)


@pytest.mark.parametrize(
    ("guess", "answer", "marks"),
    [
        ("speed", "abide", "..y.y"),
        ("speed", "erase", "y.yy."),
        ("speed", "steal", "g.g.."),
        ("speed", "crepe", ".ygy."),
        ("allee", "eagle", "yy.yg"),
        ("crane", "crane", "ggggg"),
    ],
)
def test_feedback_of_repeated_letters(guess: str, answer: str, marks: str) -> None:
    assert feedback(guess, answer) == marks


@given(any_words, any_words)
def test_feedback_follows_the_counting_rule(guess: str, answer: str) -> None:
    assert feedback(guess, answer) == reference_feedback(guess, answer)


@given(any_words, any_words)
def test_feedback_colours_each_letter_as_often_as_both_words_hold_it(guess: str, answer: str) -> None:
    coloured = Counter(
        letter for letter, mark in zip(guess, feedback(guess, answer), strict=True) if mark != "."
    )
    assert coloured == Counter(guess) & Counter(answer)


@given(any_words, any_words)
def test_all_green_means_the_answer(guess: str, answer: str) -> None:
    assert (feedback(guess, answer) == WIN) == (guess == answer)


@given(any_words, st.lists(any_words, max_size=6))
def test_the_answer_is_always_consistent_and_allowed(answer: str, played: list[str]) -> None:
    history = [(guess, feedback(guess, answer)) for guess in played]
    assert consistent(answer, history)
    assert Notes.of(history).allow(answer)


@given(any_words, st.lists(any_words, max_size=6), any_words)
def test_notes_allow_every_consistent_word(answer: str, played: list[str], word: str) -> None:
    history = [(guess, feedback(guess, answer)) for guess in played]
    if consistent(word, history):
        assert Notes.of(history).allow(word)


@settings(max_examples=25)
@given(answer_words, st.lists(guess_words, min_size=1, max_size=4))
def test_notes_forbid_inconsistent_words_unless_a_letter_repeats(answer: str, played: list[str]) -> None:
    plain = [guess for guess in played if len(set(guess)) == len(guess)]
    history = [(guess, feedback(guess, answer)) for guess in plain]
    notes = Notes.of(history)
    for word in answers()[::7]:
        assert notes.allow(word) == consistent(word, history)


@given(answer_words, st.lists(guess_words, max_size=6))
def test_notes_only_grow(answer: str, played: list[str]) -> None:
    notes = Notes()
    for guess in played:
        later = notes.after(guess, feedback(guess, answer))
        assert all(old in ("_", new) for old, new in zip(notes.green, later.green, strict=True))
        assert set(notes.gray) <= set(later.gray)
        assert all(dict(later.known)[letter] >= count for letter, count in notes.known)
        notes = later


def test_notes_read_as_designed() -> None:
    notes = Notes.of([("crane", ".y.gg")])
    assert notes.text(5) == "Green: ___ne\nYellow: r2\nGray: ac\nLeft: 5"
    assert Notes().text(6) == "Green: _____\nYellow: -\nGray: -\nLeft: 6"
    assert Notes.of([("speed", "..yy.")]).yellow() == "e34 e34"
    assert Notes.of([("speed", "..yy."), ("erect", "g....")]).yellow() == "e34"


def test_a_letter_gray_in_one_tile_but_present_is_not_gray() -> None:
    notes = Notes.of([("speed", feedback("speed", "abide"))])
    assert notes.text(5) == "Green: _____\nYellow: d5 e34\nGray: ps\nLeft: 5"


@pytest.mark.parametrize(
    ("reply", "guess"),
    [
        ("<guess>crane</guess>", "crane"),
        ("I think <guess> CRANE </guess>.", "crane"),
        ("<guess>stale</guess> no, <guess>crane</guess>", "crane"),
        ("crane", None),
        ("<guess></guess>", None),
        ("<guess>two words</guess>", None),
        ("<guess>crane", None),
    ],
)
def test_read_guess(reply: str, guess: str | None) -> None:
    assert read_guess(reply) == guess


def test_word_lists_are_sorted_sane_and_nested() -> None:
    assert list(answers()) == sorted(set(answers()))
    assert set(answers()) <= guesses()
    assert all(len(word) == 5 and word.isascii() and word.islower() for word in guesses())
    assert (len(answers()), len(guesses())) == (2354, 6706)


def test_splits_are_disjoint_whole_and_stable() -> None:
    parts = [set(answers_in(split)) for split in ("train", "validation", "test")]
    assert sum(map(len, parts)) == len(set().union(*parts)) == len(answers())
    assert [len(part) for part in parts] == [1761, 199, 394]
    assert {word: split_of(word) for word in ("crane", "heart", "party")} == {
        "crane": "train",
        "heart": "validation",
        "party": "test",
    }


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(ValueError, match="validation"):
        answers_in("dev")  # type: ignore[arg-type, unused-ignore]


def test_demonstrations_depend_on_seed_and_index_only() -> None:
    habits = Habits(consistent=0.4, favourite=0.3, whim=0.3)
    series = list(demonstrations(4, seed=3, habits=habits))
    assert series == [demonstration(3, index, habits) for index in range(4)]
    assert demonstration(4, 0, habits) != series[0]


def test_demonstrations_never_have_a_held_out_secret() -> None:
    for index in range(40):
        chat = demonstration(0, index, Habits(consistent=0.3, favourite=0.4, whim=0.3))
        last, reply = chat[-1]["content"], chat[-2]["content"]
        secret = last.split(prompts.LOST)[1].rstrip(".") if prompts.LOST in last else read_guess(reply)
        assert secret is not None
        assert split_of(secret) == "train"


def test_a_careful_player_only_says_consistent_words_and_mostly_wins() -> None:
    wins = 0
    for secret in answers_in("train")[::60]:
        history: list[tuple[str, str]] = []
        for guess in play(secret, Habits(1.0, 0.0, 0.0), random.Random(secret)):
            assert consistent(guess, history)
            history.append((guess, feedback(guess, secret)))
        wins += history[-1][1] == WIN
    assert wins >= 24  # of 30


def test_messages_tell_the_game_as_the_rules_do() -> None:
    chat = messages("raven", ["crane", "raven"])
    assert [message["role"] for message in chat] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert chat[3]["content"].startswith(f"crane {feedback('crane', 'raven')}\nGreen: ")
    assert chat[-1]["content"] == f"raven {WIN}\n{prompts.WON}"
    lost = messages("raven", ["crane"] * GUESSES)
    assert lost[-1]["content"].endswith(f"{prompts.LOST}raven.")


def test_errors_name_the_lost_guess_and_keep_the_notes() -> None:
    notes = Notes.of([("crane", ".y.gg")])
    assert prompts.after_error(None, notes, 4) == f"{prompts.NO_GUESS}\n{notes.text(4)}"
    assert prompts.after_error("xqzzy", notes, 4).startswith("xqzzy is not in the word list")


@pytest.mark.parametrize("shares", [(0.5, 0.5, 0.5), (-0.1, 0.6, 0.5)])
def test_habits_must_be_shares(shares: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        Habits(*shares)


def test_favourites_are_train_answers() -> None:
    assert all(split_of(word) == "train" and word in answers() for word in FAVOURITES)


def test_a_step_is_fast() -> None:
    words, turns = answers(), 20_000
    begin, notes = time.process_time(), Notes()
    for index in range(turns):
        guess, secret = words[index * 7 % len(words)], words[index * 13 % len(words)]
        notes = (Notes() if index % GUESSES == 0 else notes).after(guess, feedback(guess, secret))
        notes.text(3)
    # 100,000 a second on an idle machine; the bound leaves room for a busy one
    assert turns / (time.process_time() - begin) > 30_000
