"""Gymnasium's environments in words: texts, actions, what is paid, copies, solutions, codecs of one's own."""

from __future__ import annotations

import contextlib
import copy
import math
import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym import Task, Turn
from rftgym.conformance import examine
from rftgym.conformance.words import layout
from rftgym.errors import ContractError, UsageError
from rftgym.testing import check_env
from rftgym_gymnasium.codec import Codec, Illegal, SpacesCodec, told
from rftgym_gymnasium.env import GymnasiumEnv
from rftgym_gymnasium.facts import KNOWN
from rftgym_gymnasium.players import basic_strategy, best_policy

TOYS = (
    "FrozenLake-v1",
    "FrozenLake8x8-v1",
    "Taxi-v4",
    "CliffWalking-v1",
    "CliffWalkingSlippery-v1",
    "Blackjack-v1",
)


def made(name: str, **settings: Any) -> GymnasiumEnv:
    env = rftgym.make(f"gymnasium:{name}", **settings)
    assert isinstance(env, GymnasiumEnv)
    return env


def say(*actions: str) -> list[str]:
    return [f"<action>{action}</action>" for action in actions]


def play(env: GymnasiumEnv, completions: list[str], task: Task | None = None) -> list[Any]:
    """Steps of an episode, until it is over or nothing is left to say."""
    env.start(task or env.tasks.item("train", 0), 0)
    steps = []
    for completion in completions:
        steps.append(env.step(completion))
        if steps[-1][2] or steps[-1][3]:
            break
    return steps


def bare(name: str, task: Task, actions: list[int], **arguments: Any) -> list[Any]:
    """The same in Gymnasium itself."""
    foreign = gymnasium.make(name, **arguments)
    foreign.reset(seed=task.data["seed"])
    return [foreign.step(action) for action in actions]


# ---- conformance


@pytest.mark.parametrize("name", ["FrozenLake-v1", "Taxi-v4", "CliffWalking-v1", "Blackjack-v1"])
@pytest.mark.slow
def test_the_contract(name: str) -> None:
    report = examine(f"gymnasium:{name}", completions=say("0", "1", "5", "0, 1"))
    # A walk that falls off the cliff again and again costs 100 a step: beside it, standing still is nearly a solution.
    foreign = {"empty-answer-paid"} if name == "CliffWalking-v1" else set()
    assert {finding.check for finding in report.errors} <= foreign, layout(report)


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1", "MountainCar-v0"])
@pytest.mark.slow
def test_the_contract_of_an_environment_told_from_its_spaces(name: str) -> None:
    env = made(name, max_turns=20)
    check_env(env, completions=say("0", "1", "0.5", "nan", "1e999"), processes=False)


# ---- texts and actions


def test_the_texts_of_frozen_lake() -> None:
    env = made("FrozenLake-v1", arguments={"is_slippery": False})
    opening = env.start(env.tasks.item("train", 0), 0)
    assert [message.role for message in opening] == ["user"]
    assert (
        opening[0].content.endswith("tags.\n\n@FFF\nFHFH\nFFFH\nHFFG")
        and "slippery" not in opening[0].content
    )
    steps = play(env, say("right", "Right.", "down", "1", "down", "2"))
    assert steps[0][0] == "S@FF\nFHFH\nFFFH\nHFFG"
    assert steps[-1][0] == "SFFF\nFHFH\nFFFH\nHFF@\nYou are at the goal.\nIt is over. Your return is 1."
    assert (
        steps[-1][2:4] == (True, False)
        and steps[-1][4]["score"].success
        and steps[-1][4]["score"].reward == 1.0
    )


def test_the_texts_of_taxi() -> None:
    env = made("Taxi-v4")
    opening = env.start(env.tasks.item("train", 0), 0)[0].content
    assert "|R: | : :G|" in opening and opening.count("Destination:") == 1
    locations = [(0, 0), (0, 4), (4, 0), (4, 3)]
    for state in range(500):
        row, column, passenger, destination = env.codec.env.unwrapped.decode(state)  # type: ignore[attr-defined]
        text = env.codec.show(state, {})
        assert f"Taxi: row {row}, column {column}." in text
        place = "in the taxi" if passenger == 4 else "(row {}, column {})".format(*locations[passenger])
        assert place in text.split("Destination")[0]
        assert "(row {}, column {})".format(*locations[destination]) in text.split("Destination")[1]


def test_the_texts_of_the_cliff_and_of_cards() -> None:
    cliff = made("CliffWalking-v1")
    assert cliff.codec.show(36, {}) == "............\n............\n............\n@CCCCCCCCCCG"
    assert cliff.codec.show(24, {}).splitlines()[2:] == ["@...........", "SCCCCCCCCCCG"]
    cards = made("Blackjack-v1")
    assert (
        cards.codec.show((15, 1, 1), {})
        == "Your cards: 15 with an ace that counts 11. The dealer shows an ace."
    )
    assert cards.codec.show((20, 7, 0), {}) == "Your cards: 20. The dealer shows 7."


@pytest.mark.parametrize(
    "text", ["", "wait", "99", "-9", "٣", "left right", "9" * 5000, "\x00", "\ud800", "[1 2", "nan"]
)
@pytest.mark.parametrize("name", ["FrozenLake-v1", "Blackjack-v1", "CartPole-v1", "Pendulum-v1"])
def test_what_is_no_action_is_told_and_changes_nothing(name: str, text: str) -> None:
    env = made(name)
    env.start(env.tasks.item("train", 1), 0)
    shown = env.trajectory.task and env._state.shown  # type: ignore[union-attr]
    observation, _, terminated, truncated, info = env.step(f"<action>{text}</action>")
    assert observation.startswith("Nothing happened.") and observation.endswith(shown)
    assert not (terminated or truncated or info["legal"]) and info["reward"] == 0


@given(st.text(max_size=40))
def test_no_text_breaks_a_codec(text: str) -> None:
    for env in (LAKE, POLE):
        with contextlib.suppress(Illegal):
            assert env.codec.read(text) in env.codec.env.action_space


LAKE, POLE = made("FrozenLake-v1"), made("CartPole-v1")


@pytest.mark.parametrize(
    "space",
    [
        spaces.Discrete(4),
        spaces.Discrete(3, start=-1),
        spaces.MultiDiscrete([3, 2, 5]),
        spaces.MultiBinary(4),
        spaces.Box(-1, 1, (3,), np.float32),
        spaces.Box(0, 9, (2, 2), np.int64),
        spaces.Text(5, charset="abc"),
    ],
)
def test_every_action_of_a_space_that_is_written_is_read_again(space: spaces.Space[Any]) -> None:
    class Empty(gymnasium.Env[Any, Any]):
        observation_space, action_space = spaces.Discrete(1), space

    codec = SpacesCodec(Empty())
    space.seed(0)
    for _ in range(30):
        action = space.sample()
        assert (
            np.allclose(codec.read(codec.write(action)), action, rtol=1e-3)
            if not isinstance(action, str)
            else True
        )
        if isinstance(action, str):
            assert codec.read(codec.write(action)) == action
    assert "An action is" in codec.rules()


def test_observations_of_tuples_and_dicts_are_told() -> None:
    space = spaces.Dict(
        {"place": spaces.Tuple([spaces.Discrete(9), spaces.Box(0, 1, (2,))]), "flag": spaces.MultiBinary(2)}
    )
    value = {"place": (4, np.array([0.5, 0.25])), "flag": np.array([1, 0])}
    assert told(space, value) == "flag: 1 0\nplace: 4, 0.5 0.25"


# ---- what is paid


@given(st.integers(0, 1000), st.lists(st.integers(0, 3), min_size=1, max_size=100))
def test_rewards_and_ends_are_the_environments_own(index: int, actions: list[int]) -> None:
    task = LAKE.tasks.item("train", index)
    steps = play(LAKE, say(*map(str, actions)), task)
    expected = bare("FrozenLake-v1", task, actions[: len(steps)])
    assert [step[4]["reward"] for step in steps] == [float(step[1]) for step in expected]
    assert [step[2:4] for step in steps] == [step[2:4] for step in expected]


def test_the_environments_own_limit_truncates() -> None:
    env = made("Taxi-v4", max_turns=500)
    steps = play(env, say("south") * 500)
    assert len(steps) == 200 and steps[-1][2:4] == (False, True)
    assert steps[-1][4]["return"] == -200 and not steps[-1][4]["score"].success


def test_several_actions_a_turn() -> None:
    env = made("FrozenLake-v1", arguments={"is_slippery": False}, actions_per_turn=6)
    assert "up to 6 actions" in env.start(env.tasks.item("train", 0), 0)[0].content and env.max_turns == 17
    steps = play(env, say("right, right, down, down, down, right"))
    assert steps[-1][2] and steps[-1][4]["score"].success
    too_many = play(env, say("left, left, left, left, left, left, left"))[0]
    assert not too_many[4]["legal"]
    one_wrong = play(env, say("right, wait"))[0]
    assert not one_wrong[4]["legal"] and one_wrong[0].endswith("@FFF\nFHFH\nFFFH\nHFFG")
    into_a_hole = play(env, say("right, down, left"))[0]
    assert into_a_hole[2] and "fell into a hole" in into_a_hole[0]


@pytest.mark.parametrize("name", TOYS)
def test_saying_nothing_never_pays(name: str) -> None:
    env = made(name)
    task = next(task for task in (env.tasks.item("train", i) for i in range(50)) if env.demonstrate(task, 0))
    conversation = env.demonstrate(task, 0)
    assert conversation is not None
    best = play(env, [message.content for message in conversation if message.role == "assistant"], task)[-1][
        4
    ]["score"]
    assert best.success and 0.3 <= best.reward <= 1.25
    for nothing in ("", "pass", "<action>wait</action>", "a" * (env.max_completion_chars + 1)):
        worst = play(env, [nothing] * 1000, task)[-1][4]["score"]
        assert not worst.success and worst.reward <= 1e-9, nothing


def test_bounds_and_charge_of_the_users_own() -> None:
    env = made("CartPole-v1", bounds=[0, 50], idle=-1)
    steps = play(env, say("0", "1", "wait"))
    assert [step[1] for step in steps] == pytest.approx([0.02, 0.02, -0.02])
    for wrong in ([1, 0], [1], "x", 3):
        with pytest.raises(UsageError, match="bounds"):
            made("CartPole-v1", bounds=wrong)


# ---- tasks, copies, isolation


def test_no_seed_belongs_to_two_splits() -> None:
    seeds = {
        split: {LAKE.tasks.item(split, i, s).data["seed"] for i in range(300) for s in (0, 1)}
        for split in ("train", "validation", "test")
    }
    assert all(len(each) == 600 for each in seeds.values())
    assert not (
        seeds["train"] & seeds["validation"]
        or seeds["train"] & seeds["test"]
        or seeds["validation"] & seeds["test"]
    )
    assert LAKE.tasks.by_id("test-7-3") == LAKE.tasks.item("test", 3, 7)
    with pytest.raises(UsageError, match="train-0-12"):
        LAKE.tasks.by_id("test-7-x")


@given(st.integers(0, 50), st.lists(st.integers(0, 5), min_size=2, max_size=30), st.data())
def test_a_copy_goes_on_as_the_original_does(index: int, actions: list[int], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(actions) - 1))
    TAXI.start(TAXI.tasks.item("train", index), 0)
    for action in actions[:cut]:
        TAXI.step(f"<action>{action}</action>")
    snapshot = TAXI.snapshot()
    rest = [TAXI.step(f"<action>{action}</action>")[:4] for action in actions[cut:]]
    OTHER_TAXI.restore(snapshot)
    assert [OTHER_TAXI.step(f"<action>{action}</action>")[:4] for action in actions[cut:]] == rest


TAXI, OTHER_TAXI = made("Taxi-v4"), made("Taxi-v4")


def test_an_environment_that_does_not_repeat_itself_is_found_out() -> None:
    class Restless(gymnasium.Env[int, int]):
        observation_space, action_space = spaces.Discrete(1000), spaces.Discrete(2)
        count = 0

        def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
            Restless.count += 1
            return Restless.count, {}

        def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
            return Restless.count, 0.0, False, False, {}

    gymnasium.register("RestlessTest-v0", entry_point=Restless)
    try:
        env = made("RestlessTest-v0")
        env.start(env.tasks.item("train", 0), 0)
        env.step("<action>1</action>")
        env.restore(env.snapshot())
        with pytest.raises(ContractError, match="the same seed and actions lead elsewhere"):
            env.step("<action>1</action>")
    finally:
        del gymnasium.registry["RestlessTest-v0"]


def test_episodes_side_by_side_do_not_meet() -> None:
    one, two = LAKE.spawn(), LAKE.spawn()
    task = LAKE.tasks.item("train", 4)
    alone = [step[0] for step in play(made("FrozenLake-v1"), say("2", "1", "2", "1"), task)]
    one.start(task, 0)
    two.start(LAKE.tasks.item("train", 5), 0)
    together = []
    for action in ("2", "1", "2", "1"):
        if not two.trajectory.terminated:
            two.advance(Turn((), "<action>0</action>"))
        if not one.trajectory.terminated:
            together.append(one.advance(Turn((), f"<action>{action}</action>"))[0].content)
    assert together == alone


# ---- solutions


@pytest.mark.parametrize(("name", "least"), [("FrozenLake-v1", 0.6), ("FrozenLake8x8-v1", 0.6), ("Taxi-v4", 1.0),
                                             ("CliffWalking-v1", 1.0), ("Blackjack-v1", 0.25)])  # fmt: skip
def test_how_often_the_player_succeeds(name: str, least: float) -> None:
    env = made(name)
    tasks = [env.tasks.item("train", index) for index in range(60)]
    solved = [task for task in tasks if env.demonstrate(task, 0)]
    assert len(solved) >= least * len(tasks)


def test_the_best_way_along_the_cliff_takes_thirteen_steps() -> None:
    env = made("CliffWalking-v1")
    conversation = env.demonstrate(env.tasks.item("test", 0), 0)
    assert conversation is not None and sum(message.role == "assistant" for message in conversation) == 13


def test_value_iteration_on_a_table_that_can_be_worked_out_by_hand() -> None:
    table = {0: {0: [(1.0, 0, 0.0, False)], 1: [(0.5, 1, 0.0, False), (0.5, 0, 0.0, False)]},
             1: {0: [(1.0, 1, 1.0, True)], 1: [(1.0, 0, 0.0, False)]}}  # fmt: skip
    assert best_policy(table).tolist() == [1, 0]


def test_basic_strategy_at_its_edges() -> None:
    wanted = {(12, 3, 0): 1, (12, 4, 0): 0, (12, 7, 0): 1, (16, 6, 0): 0, (16, 7, 0): 1, (17, 1, 0): 0, (11, 6, 0): 1,
              (18, 9, 1): 1, (18, 8, 1): 0, (17, 6, 1): 1, (19, 1, 1): 0, (13, 2, 0): 0}  # fmt: skip
    assert {hand: basic_strategy(hand) for hand in wanted} == wanted


# ---- names, arguments, codecs


def test_all_names_that_need_no_further_package_can_be_made() -> None:
    names = GymnasiumEnv.names()
    assert set(TOYS) < set(names) and names == sorted(names) and "FrozenLake-v0" not in names
    assert not [name for name in names if name.startswith(("rftgym/", "Ant", "CarRacing"))]
    for name in names:
        env = made(name)
        assert env.reset(seed=0)[0]
    assert all(any(name.startswith(known) for name in names) for known in KNOWN)


@pytest.mark.parametrize(
    ("id", "settings", "message"),
    [
        ("FrozenLak-v1", {}, "FrozenLake"),
        ("FrozenLake-v1", {"arguments": {"is_slipery": True}}, "is_slipery"),
        ("FrozenLake-v1", {"arguments": 3}, "mapping"),
        ("FrozenLake-v1", {"actions_per_turn": 0}, "actions_per_turn"),
        ("FrozenLake-v1", {"codec": "rftgym_gymnasium.toy_text:TaxiCodec"}, "TaxiCodec knows the actions"),
        ("FrozenLake-v1", {"codec": "json:JSONDecoder"}, "no class that derives from"),
        ("no_such_module:X-v0", {}, "no_such_module"),
    ],
)
def test_what_cannot_be_is_said(id: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        made(id, **settings)


def test_pictures_are_refused_and_a_codec_of_ones_own_is_taken(tmp_path: Any) -> None:
    class Pictures(gymnasium.Env[Any, int]):
        observation_space, action_space = spaces.Box(0, 255, (64, 64, 3), np.uint8), spaces.Discrete(2)

        def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
            return np.full((64, 64, 3), 7, np.uint8), {}

        def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
            return np.zeros((64, 64, 3), np.uint8), 1.0, True, False, {}

    (tmp_path / "codec.py").write_text(
        "from rftgym_gymnasium.codec import WordsCodec\n"
        "class Brightness(WordsCodec):\n"
        "    actions = ('stay', 'go')\n"
        "    def rules(self): return 'Look.'\n"
        "    def show(self, observation, info): return f'brightness {observation.mean():.0f}'\n"
    )
    gymnasium.register("PicturesTest-v0", entry_point=Pictures)
    try:
        with pytest.raises(UsageError, match="pass codec="):
            made("PicturesTest-v0")
        env = made("PicturesTest-v0", codec=f"{tmp_path / 'codec.py'}:Brightness")
        assert env.start(env.tasks.item("train", 0), 0)[0].content.endswith("brightness 7")
        assert env.step("<action>go</action>")[2]
    finally:
        del gymnasium.registry["PicturesTest-v0"]


def test_a_codec_class_can_be_given_from_python() -> None:
    class Shouting(SpacesCodec):
        def rules(self) -> str:
            return super().rules().upper()

    assert issubclass(Shouting, Codec)
    env = made("CartPole-v1", codec=Shouting)
    assert "PLAY CARTPOLE" in env.start(env.tasks.item("train", 0), 0)[0].content


def test_listing_environments_does_not_import_the_adapter() -> None:
    program = "import sys, rftgym.plugins as p; p.discover(); print('rftgym_gymnasium.env' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_state_of_an_episode_is_small_to_copy() -> None:
    TAXI.start(TAXI.tasks.item("train", 0), 0)
    TAXI.step("<action>0</action>")
    state = copy.deepcopy(TAXI._state)
    assert state is not None and state.env is None and state.actions == [0] and math.isclose(state.paid, -1)
