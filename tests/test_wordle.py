"""Wordle as an environment: what is observed, what is paid, what cannot be gained by cheating, and what is drawn."""

from __future__ import annotations

import math
import re
from itertools import islice
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym import Task, TextEnv
from rftgym.errors import UsageError
from rftgym.registry import make_reward
from rftgym.types import Score
from rftgym_wordle import env as module
from rftgym_wordle.env import WordleEnv
from rftgym_wordle.game import WIN, feedback
from rftgym_wordle.words import answers, guesses, split_of

WORDS = sorted(guesses())
ENV = WordleEnv()
words = st.sampled_from(WORDS)


def tag(word: str) -> str:
    return f"<guess>{word}</guess>"


def game(
    answer: str, *completions: str, env: TextEnv[Any] = ENV
) -> list[tuple[str, float, bool, bool, dict[str, Any]]]:
    """Steps of a game, whose answer need not be in the list, up to its end."""
    task = Task(answer, {"answer": answer})
    env.start(task, 0)
    steps = []
    for completion in completions:
        steps.append(env.step(completion))
        if steps[-1][2] or steps[-1][3]:
            break
    return steps


def score(answer: str, *completions: str) -> Score:
    return game(answer, *completions)[-1][4]["score"]


# ---- observations


def test_the_texts_of_a_game() -> None:
    first = ENV.start(ENV.tasks.by_id("prune"), 0)
    assert [message.role for message in first] == ["system", "user"]
    assert first[1].content == "New game.\nGreen: _____\nYellow: -\nGray: -\nLeft: 6"
    steps = game("prune", tag("crane"), tag("xqxqx"), "prune", tag("prune"))
    assert [step[0] for step in steps] == [
        "crane .g.gg\nGreen: _r_ne\nYellow: -\nGray: ac\nLeft: 5",
        "xqxqx is not in the word list: one guess is lost.\nGreen: _r_ne\nYellow: -\nGray: ac\nLeft: 4",
        "No word in <guess></guess> tags: one guess is lost.\nGreen: _r_ne\nYellow: -\nGray: ac\nLeft: 3",
        "prune ggggg\nYou found the word.",
    ]
    assert steps[-1][2:4] == (True, False)


def test_six_guesses_and_it_is_lost() -> None:
    steps = game("prune", *[tag("fuzzy")] * 9)
    assert len(steps) == 6 and steps[-1][2:4] == (True, False)
    assert steps[-1][0].endswith("No guesses are left. The word was prune.")


def test_a_smaller_turn_limit_truncates_and_a_larger_one_gives_no_more_guesses() -> None:
    assert game("prune", *[tag("fuzzy")] * 9, env=WordleEnv(max_turns=2))[-1][2:4] == (False, True)
    assert len(game("prune", *[tag("fuzzy")] * 9, env=WordleEnv(max_turns=50))) == 6


@given(st.sampled_from(answers()), st.lists(words, min_size=1, max_size=6))
def test_every_turn_states_its_facts(answer: str, guessed: list[str]) -> None:
    history: list[tuple[str, str]] = []
    for (_, _, terminated, _, info), guess in zip(game(answer, *map(tag, guessed)), guessed, strict=False):
        assert (info["guess"], info["marks"]) == (guess, feedback(guess, answer))
        assert info["consistent"] == all(feedback(earlier, guess) == marks for earlier, marks in history)
        assert info["won"] == (guess == answer) and (terminated or not info["won"])
        history.append((guess, info["marks"]))


# ---- tasks


def test_splits_hold_the_answers_and_are_disjoint() -> None:
    tasks = ENV.tasks
    ids = {
        split: {tasks.item(split, i).id for i in range(tasks.size(split) or 0)}
        for split in ("train", "validation", "test")
    }
    assert set.union(*ids.values()) == set(answers()) and sum(map(len, ids.values())) == len(answers())
    assert len(ids["test"]) >= 200 and len(ids["validation"]) >= 100
    assert all(split_of(word) == split for split, words in ids.items() for word in words)


def test_an_answer_outside_of_the_list_is_a_valid_guess_in_its_own_game() -> None:
    assert "qajaq" not in guesses()
    assert score("qajaq", tag("qajaq")).success is True
    assert game("prune", tag("qajaq"))[0][4]["marks"] is None


def test_demonstrations_are_imperfect_games_of_the_train_split() -> None:
    games = list(ENV.demonstrations("train", 40, 3))
    assert games == list(ENV.demonstrations("train", 40, 3)) != list(ENV.demonstrations("train", 40, 4))
    closings = [talk[-1].content for talk in games]
    secrets = {
        text.split()[-1].strip(".") if "The word was" in text else text.split()[0] for text in closings
    }
    assert all(split_of(word) == "train" for word in secrets)
    won = sum("You found the word." in text for text in closings)
    assert 0 < won < 40
    with pytest.raises(UsageError, match="'train' only, not of 'test'"):
        ENV.demonstrations("test", 1, 0)


def test_a_demonstration_replayed_gives_its_own_observations() -> None:
    for talk in ENV.demonstrations("train", 20, 1):
        closing = talk[-1].content
        answer = closing.split()[-1].strip(".") if "The word was" in closing else closing.split()[0]
        steps = game(answer, *(message.content for message in talk if message.role == "assistant"))
        assert [step[0] for step in steps] == [message.content for message in talk[3::2]]


# ---- rewards


def test_the_best_game_gets_everything() -> None:
    best = score("prune", tag("prune"))
    assert best.components == dict.fromkeys(
        ["format", "valid_word", "consistent", "progress", "win", "speed"], 1.0
    )
    assert best.reward == pytest.approx(sum(ENV.rubric.weights.values()))


def test_the_components_of_a_mixed_game() -> None:
    mixed = score("prune", "hello", tag("crane"), tag("zzzzz"), tag("crane"), tag("prude"), tag("prune"))
    assert mixed.components == {
        "format": pytest.approx(5 / 6),
        "valid_word": pytest.approx(4 / 6),
        "consistent": pytest.approx(2 / 6),  # crane and prune: prude denies the n that crane placed
        "progress": pytest.approx(1.0),
        "win": 1.0,
        "speed": 0.0,
    }


any_game = st.lists(
    st.one_of(words.map(tag), st.sampled_from(["", "<guess>zzzzz</guess>", "crane"])), min_size=6, max_size=6
)


@given(st.sampled_from(answers()), any_game, any_game, st.integers(0, 5))
def test_any_win_pays_more_than_any_loss(answer: str, won: list[str], lost: list[str], at: int) -> None:
    win = score(answer, *won[:at], tag(answer))
    loss = score(answer, *[each for each in lost if each != tag(answer)], *[""] * 6)
    assert win.success and not loss.success
    assert win.reward is not None and loss.reward is not None and win.reward > loss.reward + 0.5


@given(st.sampled_from(answers()), any_game)
def test_rewards_are_bounded_and_each_component_too(answer: str, completions: list[str]) -> None:
    found = score(answer, *completions, *[""] * 6)
    assert all(value is not None and -1e-9 <= value <= 1 + 1e-9 for value in found.components.values())
    assert found.reward is not None and -1e-9 <= found.reward <= sum(ENV.rubric.weights.values()) + 1e-9


@given(st.sampled_from(answers()), words)
def test_nothing_is_gained_by_repeating_a_guess(answer: str, guess: str) -> None:
    once = score(answer, tag(guess), *[""] * 5)
    again = score(answer, *[tag(guess)] * 6)
    if guess != answer:
        assert again.components["progress"] == once.components["progress"]
        assert again.components["consistent"] == once.components["consistent"] == pytest.approx(1 / 6)


@given(st.sampled_from(answers()), st.lists(words, min_size=6, max_size=6))
def test_progress_never_goes_back_and_ends_at_what_is_known(answer: str, guessed: list[str]) -> None:
    steps = game(answer, *map(tag, guessed))
    assert all(info["progress"] >= 0 for *_, info in steps)
    found = steps[-1][4]["score"].components["progress"]
    assert found <= 1 + 1e-9 and (found == pytest.approx(1.0)) >= steps[-1][4]["won"]


@given(st.sampled_from(answers()), st.lists(words, min_size=1, max_size=6))
def test_information_is_the_share_of_bits_removed(answer: str, guessed: list[str]) -> None:
    game(answer, *map(tag, guessed))
    trajectory = ENV.trajectory
    component = make_reward("wordle-information", 1.0)
    value = component.call(trajectory, trajectory.turns[-1])
    said = [(turn.info["guess"], turn.info["marks"]) for turn in trajectory.turns]
    left = [word for word in answers() if all(feedback(guess, word) == marks for guess, marks in said)]
    assert value == pytest.approx(math.log(len(answers()) / len(left)) / math.log(len(answers())))


def test_information_counts_no_turn_without_a_guess_and_an_answer_outside_of_the_list() -> None:
    component = make_reward("wordle-information", 1.0)
    game("qajaq", "", tag("qajaq"))
    assert component.call(ENV.trajectory, ENV.trajectory.turns[-1]) == 1.0
    game("prune", "", "zzzzz")
    assert component.call(ENV.trajectory, ENV.trajectory.turns[-1]) == 0.0


# ---- cheats


@pytest.mark.parametrize(
    "completion",
    [
        "prune",
        "<guess>prune",
        "prune</guess>",
        "<GUESS>prune</GUESS>",
        "< guess >prune</ guess >",
        "<guess>p r u n e</guess>",
        "<guess>p-r-u-n-e</guess>",
        "<guess>prune crane slate</guess>",
        "<guess>prune, crane</guess>",
        "<guess><guess>prune</guess></guess>",
        "<guess>prune</guess></guess>",
        "<guess><b>prune</b></guess>",
        "<guess>рrune</guess>",  # a Cyrillic letter
        "<guess>ｐｒｕｎｅ</guess>",  # full width
        "<guess>prune\u200b</guess>",  # a space of no width
        "<guess>prune\u0301</guess>",
        "<guess>PRUNE\u212a</guess>",  # the kelvin sign, whose lower case is k
        "<guess>*****</guess>",
        "<guess>.....</guess>",
        "<guess></guess>",
        "<think><guess>prune</guess></think>",
        "<guess>prune</guess></think>",
        "<think>hm <guess>prune</guess>",
        "<guess>crane</guess> prune",
        "<guess>prune</guess><guess>crane</guess>",
        "<guess>" + "prune" * 1000 + "</guess>",
    ],
)
def test_what_is_no_guess_of_the_answer_does_not_win(completion: str) -> None:
    observation, _, terminated, _, info = game("prune", completion)[0]
    assert not terminated and not info["won"] and "prune ggggg" not in observation and len(observation) < 200


@pytest.mark.parametrize(
    "completion", ["<guess>PRUNE</guess>", "<guess>\n prune </guess>", "<think>crane?</think>" + tag("prune")]
)
def test_what_is_a_guess_of_the_answer_wins(completion: str) -> None:
    assert score("prune", completion).reward == pytest.approx(sum(ENV.rubric.weights.values()))


def test_of_several_guesses_the_last_counts_one_try_is_used_and_the_format_is_lost() -> None:
    shotgun = "".join(tag(word) for word in islice(WORDS, 500)) + tag("crane")
    steps = game("prune", shotgun, *[""] * 5)
    assert steps[0][0].startswith("crane .g.gg") and steps[0][0].endswith("Left: 5")
    assert steps[-1][4]["score"].components["format"] == 0.0


def test_the_answer_is_shown_only_when_the_game_is_over() -> None:
    random = Random(0)
    for answer in random.sample(answers(), 50):
        steps = game(answer, *(tag(word) for word in random.sample(WORDS, 8) if word != answer))
        for observation, _, terminated, _, info in steps:
            if not terminated:
                assert answer not in observation and answer not in repr(info)


def test_an_over_long_answer_ends_the_game_without_a_guess() -> None:
    steps = game("prune", tag("crane"), tag("prune") + " " * 20_000)
    assert steps[-1][2:4] == (False, True)
    assert steps[-1][4]["score"].components["win"] == 0.0 and steps[-1][4]["score"].success is False


# ---- drawing


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_the_board_is_readable_with_and_without_colours() -> None:
    env = WordleEnv(render_mode="ansi")
    game("prune", tag("crane"), tag("zzzzz"), "", tag("erupt"), env=env)
    drawn = env.render()
    assert drawn is not None
    lines = plain(drawn).splitlines()
    assert [line.rstrip() for line in lines[:6]] == [
        " C   R   A   N   E    .g.gg",
        "zzzzz: not in the word list",
        "(no guess)",
        " E   R   U   P   T    yggy.",
        " ·   ·   ·   ·   ·",
        " ·   ·   ·   ·   ·",
    ]
    green, yellow, gray = "\x1b[30;48;5;71m", "\x1b[30;48;5;179m", "\x1b[97;48;5;240m"
    board, keyboard = drawn.split("\n\n")
    assert f"{green} R \x1b[0m" in board and f"{gray} C \x1b[0m" in board
    for colour, letters in ((green, "RUNE"), (yellow, "P"), (gray, "CAT")):
        assert all(f"{colour} {letter} \x1b[0m" in keyboard for letter in letters)
    assert plain(keyboard).split() == list("QWERTYUIOPASDFGHJKLZXCVBNM")


def test_the_end_is_drawn_too() -> None:
    env = WordleEnv(render_mode="ansi")
    game("prune", tag("prune"), env=env)
    assert plain(env.render() or "").endswith("You found the word.")
    game("prune", *[""] * 6, env=env)
    assert plain(env.render() or "").endswith("The word was prune.")


# ---- the plugin


def test_the_plugin_registers_what_there_is() -> None:
    env = rftgym.make("wordle")
    assert type(env) is WordleEnv and env.max_turns == module.GUESSES and WIN == "ggggg"
    assert make_reward("wordle-information", 0.5).name == "wordle-information"
