"""Gymnasium's registry, in whichever order a program imports things; vector environments; Gymnasium's own checker."""

from __future__ import annotations

import subprocess
import sys
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import rftgym
from rftgym import EnvSpec, hookimpl
from rftgym.gym import Creator, register
from rftgym.plugins import Plugins, discover
from rftgym.registry import installed

IDS = [
    spec.gymnasium_id
    for spec in (r.spec for r in installed().registrations("env"))
    if getattr(spec, "gymnasium_id", None)
]


@pytest.mark.parametrize(
    "imports",
    [
        "import gymnasium, rftgym",
        "import rftgym, gymnasium",
        "import rftgym; rftgym.make('wordle'); import gymnasium",
        "import gymnasium; from rftgym_wordle.env import WordleEnv",
        "from rftgym_wordle.env import WordleEnv; import gymnasium",
        "import rftgym_wordle, gymnasium",
        "import rftgym.gym, gymnasium",
    ],
)
def test_the_order_of_imports_does_not_matter(imports: str) -> None:
    program = f"{imports}\nenv = gymnasium.make('rftgym/Wordle-v0'); print(env.unwrapped.id, env.reset(seed=1)[0][:9])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("wordle New game.", "")


def test_gymnasiums_own_notation_needs_no_import_of_rftgym() -> None:
    program = "import gymnasium; print(gymnasium.make('rftgym.gym:rftgym/Wordle-v0').reset(seed=1)[0][:9])"
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "New game.\n"


def test_importing_rftgym_alone_does_not_import_gymnasium_and_leaves_no_watch_behind() -> None:
    program = (
        "import sys; before = list(sys.meta_path); import rftgym; assert 'gymnasium' not in sys.modules; "
        "import gymnasium; assert sys.meta_path == before; print(type(gymnasium.__spec__.loader).__name__)"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "SourceFileLoader\n"


@pytest.mark.parametrize("id", IDS)
def test_gymnasiums_checker_is_content(id: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(id).unwrapped)


@pytest.mark.parametrize("id", IDS)
def test_a_registered_spec_can_be_stored_and_made_again(id: str) -> None:
    stored = gymnasium.make(id, max_turns=2).spec
    assert stored is not None
    env = gymnasium.make(gymnasium.envs.registration.EnvSpec.from_json(stored.to_json()))
    assert isinstance(env.unwrapped, rftgym.TextEnv) and env.unwrapped.max_turns == 2


def losing(n: int) -> list[str]:
    return ["<guess>fuzzy</guess>"] * n


def test_a_vector_of_environments_plays_and_resets_itself() -> None:
    envs = gymnasium.make_vec("rftgym/Wordle-v0", num_envs=4)
    observations, info = envs.reset(seed=5)
    assert len(set(info["task"])) > 1 and all(text.startswith("New game.") for text in observations)
    for turn in range(6):
        observations, rewards, terminated, truncated, info = envs.step(losing(4))
        assert list(terminated) == [turn == 5] * 4 and not truncated.any() and rewards.dtype == np.float64
    assert all("The word was" in text for text in observations)
    assert all(score.success is False for score in info["score"])
    observations, rewards, terminated, *_ = envs.step(losing(4))
    assert (
        all(text.startswith("New game.") for text in observations)
        and not terminated.any()
        and not rewards.any()
    )


def test_a_vector_gives_the_same_episodes_as_single_environments() -> None:
    envs = gymnasium.make_vec("rftgym/Wordle-v0", num_envs=3)
    together = [envs.reset(seed=[7, 8, 9])[1]["task"].tolist(), *envs.step(losing(3))[0]]
    alone: list[Any] = [[]]
    for seed in (7, 8, 9):
        env = gymnasium.make("rftgym/Wordle-v0")
        alone[0].append(env.reset(seed=seed)[1]["task"])
        alone.append(env.step(losing(1)[0])[0])
    assert together == alone


def test_processes_need_plain_memory_and_say_so() -> None:
    with pytest.raises(ValueError, match="shared_memory=False"):
        gymnasium.make_vec("rftgym/Wordle-v0", num_envs=2, vectorization_mode="async")
    envs = gymnasium.make_vec(
        "rftgym/Wordle-v0", num_envs=2, vectorization_mode="async", vector_kwargs={"shared_memory": False}
    )
    assert envs.reset(seed=5)[0][0].startswith("New game.")
    assert envs.step(losing(2))[0][1].startswith("fuzzy ")
    envs.close()


def test_a_bad_or_taken_gymnasium_id_is_a_warning_and_the_rest_is_registered() -> None:
    class Module:
        @hookimpl
        def rftgym_environments(self) -> list[EnvSpec]:
            entry_point = "rftgym_wordle.env:WordleEnv"
            return [
                EnvSpec("bad", entry_point, gymnasium_id="no/such/form"),
                EnvSpec("second", entry_point, gymnasium_id="rftgym/Wordle-v0"),
                EnvSpec("third", entry_point, gymnasium_id="test/Third-v0"),
            ]

    plugins = Plugins()
    plugins.add(Module(), name="test")
    with pytest.warns(UserWarning, match="Gymnasium") as caught:
        register(plugins)
    texts = [str(warning.message) for warning in caught]
    assert len(texts) == 2 and "'bad' cannot be registered" in texts[0] and "so 'second' is not" in texts[1]
    made = gymnasium.registry.pop("test/Third-v0").entry_point
    assert made == Creator("third")  # no module, nor specs: of use in this process only


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_a_vector_of_processes_has_an_environment_that_is_registered_in_this_process_only(
    context: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its plugin is not installed: each process registers it by its spec."""
    (tmp_path / "not_installed.py").write_text(
        "from rftgym_wordle.env import WordleEnv\n\n\nclass Mine(WordleEnv):\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    here = discover()  # what this process adopts shall not outlive the test
    monkeypatch.setattr("rftgym.gym.installed", lambda: here)
    plugins = Plugins()
    plugins.register(EnvSpec("mine", "not_installed:Mine", gymnasium_id="test/Mine-v0"))
    register(plugins)
    try:
        with closing(
            gymnasium.make_vec(
                "test/Mine-v0",
                num_envs=2,
                vectorization_mode="async",
                vector_kwargs={"shared_memory": False, "context": context},
            )
        ) as envs:
            observations, _ = envs.reset(seed=[3, 4])
            assert len(observations) == 2 and all("New game" in each for each in observations)
            assert envs.step(["<guess>crane</guess>"] * 2)[1].shape == (2,)
    finally:
        del gymnasium.registry["test/Mine-v0"]
