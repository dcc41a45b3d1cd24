"""The run directory: whole or not there, whatever happens to its writer."""

from __future__ import annotations

import gzip
import itertools
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rftgym.config import EnvSettings, RunConfig, read_yaml
from rftgym.errors import RftgymError, UsageError
from rftgym.plugins import Plugin, Plugins
from rftgym.runs import atomic, directory, store, strictjson
from rftgym.runs.directory import RunDirectory, run_name
from rftgym.types import Failure, Message, Score, Task, Trajectory, Turn

CONFIG = RunConfig.model_validate(
    {"env": "toy", "trainer": {"id": "grpo", "steps": 60, "rate": 1e-5}}
).model_dump(mode="json")


def no_plugins() -> Plugins:
    return Plugins()


def made(root: Path, **config: Any) -> RunDirectory:
    return RunDirectory.create(root, name="toy-grpo-tiny", config=CONFIG | config, plugins=no_plugins())


def episode(step: int = 1, reward: float | None = 0.5) -> Trajectory:
    turn = Turn((Message("user", "go"),), f"answer {step}", (1, 2), (3, 4), (-0.5, -0.25))
    score = Score(reward, None if reward is None else reward > 0.4, {"right": reward})
    return Trajectory("toy", Task("t-1", {"answer": "x"}), step, f"step-{step}/0", turns=[turn], score=score)


def strict(text: bytes | str) -> Any:
    """Parse JSON as the standard has it: no bare NaN or Infinity."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


# ---- creating and opening


def test_a_new_run_has_its_configuration_and_lock(tmp_path: Path) -> None:
    plugins = no_plugins()
    plugins.plugins.append(Plugin("sudoku", "rftgym-sudoku", "0.2.0", "ImportError: no numba"))
    run = RunDirectory.create(tmp_path / "a" / "runs", name="toy-grpo-tiny", config=CONFIG, plugins=plugins)
    assert run.path.parent == tmp_path / "a" / "runs"
    assert run.path.name.endswith("-toy-grpo-tiny")
    time.strptime(run.path.name[:15], "%Y%m%d-%H%M%S")
    assert RunDirectory.open(run.path).config == CONFIG == strict((run.path / "config.json").read_bytes())
    lock = strict((run.path / "environment.json").read_bytes())
    assert lock["distributions"]["pluggy"]
    assert lock["distributions"]["rftgym-sudoku"] == "0.2.0"
    assert lock["plugins"] == [
        {
            "name": "sudoku",
            "distribution": "rftgym-sudoku",
            "version": "0.2.0",
            "error": "ImportError: no numba",
        }
    ]
    assert lock["memory_bytes"] > 2**20
    assert lock["cpu"]["usable_cores"] >= 1
    assert (lock["gpus"] is None) == ("torch" not in sys.modules), (
        "described where torch is in use, never imported"
    )


def test_the_lock_names_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert made(tmp_path / "runs").read_json("environment.json")["git"] is None
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "note"], [*who, "commit", "-qm", "first"]):
        (tmp_path / "note").write_text("1")
        subprocess.run(["git", *command], check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    assert made(tmp_path / "runs").read_json("environment.json")["git"] == {
        "commit": commit,
        "changed_files": False,
    }
    (tmp_path / "note").write_text("2")
    assert made(tmp_path / "runs").read_json("environment.json")["git"]["changed_files"]


def test_the_yaml_makes_the_same_run_again(tmp_path: Path) -> None:
    env = EnvSettings(id="toy", kwargs={"text": "yes: no\n\u2028 é \x07"}, max_turns=3)
    config = CONFIG | {"env": env.model_dump(mode="json")}
    run = made(tmp_path, **config)
    assert read_yaml(run.path / "config.yaml") == config
    assert RunConfig.model_validate(read_yaml(run.path / "config.yaml")).model_dump(mode="json") == config


@pytest.mark.parametrize(
    ("model", "end"),
    [
        ("tiny", "e-t-tiny"),
        ("HuggingFaceTB/SmolLM2-135M", "e-t-SmolLM2-135M"),
        ("/home/me/my models/x y/", "e-t-x-y"),
        ("openai:gpt@http://host/v1", "e-t-v1"),
        ("../..", "e-t"),
        ("mödel\n\0", "e-t-m-del"),
        ("m" * 300, "e-t-" + "m" * 76),
    ],
)
def test_names_are_fit_for_files(model: str, end: str, tmp_path: Path) -> None:
    assert run_name("e", "t", model) == end
    run = RunDirectory.create(tmp_path, name=run_name("e", "t", model), config={}, plugins=no_plugins())
    assert run.path.parent == tmp_path
    hostile = RunDirectory.create(tmp_path, name=f"e-t-{model}", config={}, plugins=no_plugins())
    assert hostile.path.parent == tmp_path


def test_runs_of_one_second_get_directories_of_their_own(tmp_path: Path) -> None:
    found: list[Path] = []

    def make() -> None:
        found.extend(made(tmp_path).path for _ in range(5))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 20
    assert sorted(found) == sorted(tmp_path.iterdir())


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="set is not a JSON value"):
        made(tmp_path, env={"id": "toy", "kwargs": {"letters": {1}}})
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_bad_usage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for root in (tmp_path / "file", tmp_path / "file" / "runs", Path("/proc/runs")):
        with pytest.raises(UsageError, match=f"cannot make a run in {root}: .*--runs DIR"):
            made(root)


def test_opening_what_is_no_run_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such directory"):
        RunDirectory.open(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="no such directory"):
        RunDirectory.open(tmp_path / "file")
    with pytest.raises(UsageError, match=r"no config\.json and no environment\.json$"):
        RunDirectory.open(tmp_path)
    run = made(tmp_path / "runs")
    with pytest.raises(UsageError, match=f"did you mean {run.path}"):
        RunDirectory.open(tmp_path / "runs")
    lock = run.read_json("environment.json")
    run.write_json("environment.json", lock | {"layout": 99})
    with pytest.raises(UsageError, match="newer rftgym"):
        RunDirectory.open(run.path)
    (run.path / "environment.json").write_text("[1")
    with pytest.raises(UsageError, match="no run that can be read"):
        RunDirectory.open(run.path)
    (run.path / "config.json").write_text("[]")
    with pytest.raises(UsageError, match=r"no run that can be read: config\.json holds no settings"):
        RunDirectory.open(run.path)


def test_a_run_that_is_being_made_is_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    real = atomic.name_directory

    def look(temporary: Path, names: Iterator[Path]) -> Path:
        seen.append([path.name for path in tmp_path.iterdir() if not path.name.startswith(".")])
        return real(temporary, names)

    monkeypatch.setattr(atomic, "name_directory", look)
    made(tmp_path)
    assert seen == [[]]


# ---- metrics


def test_metrics_come_back(tmp_path: Path) -> None:
    run = made(tmp_path)
    rows = [{"loss": 0.1, "tokens": 12}, {"loss": math.inf, "kl": -math.inf}, {}]
    for step, row in enumerate(rows, 1):
        run.add_metrics(step, row)
    found = RunDirectory.open(run.path).metrics()
    assert [{k: v for k, v in line.items() if k != "time"} for line in found] == [
        {"step": step, **row} for step, row in enumerate(rows, 1)
    ]
    run.add_metrics(4, {"loss": math.nan})
    assert math.isnan(run.metrics()[-1]["loss"])
    for line in (run.path / "metrics.jsonl").read_bytes().splitlines():
        strict(line)


def test_a_torn_line_is_left_out_and_then_cut_at_every_byte(tmp_path: Path) -> None:
    run = made(tmp_path)
    for step in range(1, 4):
        run.add_metrics(step, {"loss": step / 3})
    path = run.path / "metrics.jsonl"
    whole = path.read_bytes()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        complete = whole[:length].count(b"\n")
        assert [line["step"] for line in run.metrics()] == list(range(1, complete + 1))
        assert path.stat().st_size == length, "reading must not change the file: its writer may be at work"
        run.add_metrics(9, {"loss": 0.0})
        assert [line["step"] for line in run.metrics()] == [*range(1, complete + 1), 9]


def test_a_long_torn_end_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    atomic.append_line(path, b"one")
    for torn in (b"x" * 200_000, b"\0" * 70_000):
        path.write_bytes(b"one\n" + torn)
        atomic.append_line(path, b"two")
        assert atomic.read_lines(path) == [b"one", b"two"]
    path.write_bytes(b"x" * 100_000)
    atomic.append_line(path, b"two")
    assert atomic.read_lines(path) == [b"two"]


def test_damage_inside_metrics_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    run = made(tmp_path)
    run.add_metrics(1, {"loss": 1.0})
    path = run.path / "metrics.jsonl"
    path.write_bytes(b"{oops}\n" + path.read_bytes())
    with pytest.raises(RftgymError, match=r"metrics\.jsonl is damaged at line 1"):
        run.metrics()


# ---- trajectories

texts = st.text(st.characters(exclude_categories=()), max_size=12)
floats = st.floats(allow_nan=True, allow_infinity=True)
scalars = st.none() | st.booleans() | st.integers() | floats | texts
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(texts | st.just("$") | st.integers() | st.tuples(texts), inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=6,
)
named = st.dictionaries(texts, st.none() | floats, max_size=3)
tokens = st.lists(st.integers(0, 2**31), max_size=6).map(tuple)
messages = st.lists(
    st.builds(Message, st.sampled_from(["system", "user", "assistant"]), texts), max_size=3
).map(tuple)
logprobs = st.lists(floats, max_size=5).map(tuple) | st.lists(
    st.floats(width=32, allow_nan=True, allow_infinity=True), max_size=5
).map(tuple)
turns = st.builds(
    Turn,
    messages=messages,
    completion=texts,
    prompt_ids=tokens,
    completion_ids=tokens,
    logprobs=logprobs,
    stop_reason=st.sampled_from(["eos", "stop", "length", "context", "error"]),
    answer=anything,
    well_formed=st.booleans(),
    info=st.dictionaries(texts | st.just("$"), anything, max_size=3),
    rewards=named,
    seconds=st.dictionaries(texts, floats, max_size=2),
)
trajectories = st.builds(
    Trajectory,
    env=texts,
    task=st.builds(Task, texts, st.dictionaries(texts, anything, max_size=3), texts, st.none() | floats),
    seed=st.integers(0, 2**63),
    group=texts,
    sample=st.integers(0, 99),
    policy=texts,
    policy_version=st.integers(0, 99),
    turns=st.lists(turns, max_size=3),
    closing=messages,
    terminated=st.booleans(),
    truncated=st.booleans(),
    failures=st.lists(
        st.builds(
            Failure,
            st.sampled_from(["environment", "policy", "parser", "reward"]),
            texts,
            texts,
            texts,
            st.integers(1, 9),
            st.booleans(),
        ),
        max_size=2,
    ),
    score=st.none() | st.builds(Score, st.none() | floats, st.none() | st.booleans(), named),
)


@settings(max_examples=200, deadline=None)
@given(trajectories)
def test_every_trajectory_comes_back_exactly(trajectory: Trajectory) -> None:
    line = store.encode(trajectory)
    assert b"\n" not in line
    assert line.isascii()
    strict(line)
    back = store.decode(line)
    assert repr(back) == repr(trajectory)  # repr tells NaN, -0.0, int and float apart where == does not
    assert back.model_mask == trajectory.model_mask
    assert back.token_ids == trajectory.token_ids


@settings(max_examples=100, deadline=None)
@given(anything)
def test_tagged_values_come_back_exactly(value: object) -> None:
    text = json.dumps(strictjson.tagged(value), allow_nan=False)
    assert repr(strictjson.untagged(strict(text))) == repr(value)


@pytest.mark.parametrize(
    "text", ["\ud83d\ude00 two lone ones", "\ude00 one", "\U0001f600", "\0\n\r\u2028", "</script>", "\x1b[2J"]
)
def test_hostile_text_comes_back_exactly(text: str) -> None:
    trajectory = episode()
    turn = trajectory.turns[0]
    turn.completion, turn.info, turn.rewards = text, {text: text, "$": {"$": text}}, {text: 1.0}
    trajectory.closing = (Message("user", text),)
    assert repr(store.decode(store.encode(trajectory))) == repr(trajectory)


def test_float32_is_written_short_and_read_exactly() -> None:
    import numpy as np

    values = np.random.default_rng(0).normal(-3, 3, 2_000).astype(np.float32)
    trajectory = episode()
    trajectory.turns[0].logprobs = tuple(values.tolist())
    line = store.encode(trajectory)
    assert len(line) < 2_000 * 13
    back = np.array(store.decode(line).turns[0].logprobs)
    assert back.tolist() == values.tolist()


def test_arrays_and_strange_values_are_kept_readable() -> None:
    import numpy as np

    trajectory = episode()
    trajectory.turns[0].info = {
        "row": np.arange(3),
        "one": np.float32(0.5),
        "set": {1},
        "flag": np.bool_(True),
    }
    trajectory.turns[0].answer = Path("/x")
    trajectory.turns[0].completion_ids = tuple(np.arange(2))
    back = store.decode(store.encode(trajectory)).turns[0]
    assert back.info == {"row": [0, 1, 2], "one": 0.5, "set": "{1}", "flag": True}
    assert "/x" in back.answer
    assert back.completion_ids == (0, 1)


def test_the_store_keeps_steps_apart_and_in_order(tmp_path: Path) -> None:
    run = made(tmp_path)
    for step in (10, 2):
        run.add_trajectories(step, [episode(step), episode(step, None)])
    run.add_trajectories(2, (episode(2, 0.9) for _ in range(1)))
    assert run.trajectory_steps() == [2, 10]
    assert [t.reward for t in run.trajectories(2)] == [0.5, None, 0.9]
    assert [t.seed for t in run.trajectories()] == [2, 2, 2, 10, 10]
    assert list(run.trajectories(3)) == []
    with gzip.open(run.path / "trajectories" / "step-000002.jsonl.gz", "rt") as file:
        assert [strict(line)["seed"] for line in file] == [2, 2, 2]


def test_a_damaged_file_of_trajectories_is_an_error_that_names_it(tmp_path: Path) -> None:
    run = made(tmp_path)
    run.add_trajectories(1, [episode(n) for n in range(2)])
    path = run.path / "trajectories" / "step-000001.jsonl.gz"
    whole = path.read_bytes()
    for length in range(1, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(RftgymError, match=r"step-000001\.jsonl\.gz is damaged"):
            list(run.trajectories(1))


# ---- checkpoints and other directories


def test_checkpoints_appear_whole_and_the_last_stay(tmp_path: Path) -> None:
    run = made(tmp_path)
    assert run.latest_checkpoint() is None
    for step in (5, 10, 100):
        with run.checkpoint(step) as inside:
            (inside / "sub").mkdir()
            (inside / "sub" / "weights").write_text(str(step))
            assert step not in run.checkpoint_steps()
    assert run.checkpoint_steps() == [10, 100]
    latest = run.latest_checkpoint()
    assert latest is not None
    assert latest == (100, run.path / "checkpoints" / "step-000100")
    assert (latest[1] / "sub" / "weights").read_text() == "100"
    with run.checkpoint(100) as inside:
        (inside / "weights").write_text("again")
    assert [path.name for path in latest[1].iterdir()] == ["weights"]
    assert sorted(path.name for path in (run.path / "checkpoints").iterdir()) == [
        "step-000010",
        "step-000100",
    ]


def fail_half_way(block: AbstractContextManager[Path], error: BaseException) -> None:
    with block as inside:
        (inside / "weights").write_text("half")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_checkpoint_that_fails_leaves_the_former_one(tmp_path: Path, error: type[BaseException]) -> None:
    run = made(tmp_path)
    with run.checkpoint(1) as inside:
        (inside / "weights").write_text("1")
    for step in (1, 2):
        with pytest.raises(error):
            fail_half_way(run.checkpoint(step), error())
    assert run.latest_checkpoint() == (1, run.path / "checkpoints" / "step-000001")
    assert [path.name for path in (run.path / "checkpoints").iterdir()] == ["step-000001"]
    assert (run.path / "checkpoints" / "step-000001" / "weights").read_text() == "1"


def test_the_adapter_is_published_whole(tmp_path: Path) -> None:
    run = made(tmp_path)
    with pytest.raises(ValueError, match="no room"):
        fail_half_way(run.publish("adapter"), ValueError("no room"))
    assert not run.adapter.exists()
    for text in ("1", "2"):
        with run.publish("adapter") as inside:
            (inside / "adapter_config.json").write_text(text)
    assert (run.adapter / "adapter_config.json").read_text() == "2"


# ---- evaluations


def test_evaluations_come_in_the_order_of_time(tmp_path: Path) -> None:
    run = made(tmp_path)
    for when in ("after", "step-000100", "before", "step-000020"):
        run.add_evaluation(
            when, {"n": len(when), "success": {"mean": math.nan}}, [episode()] if when == "after" else ()
        )
    assert list(run.evaluations()) == ["before", "step-000020", "step-000100", "after"]
    assert run.evaluations()["before"] == {"n": 6, "success": {"mean": "NaN"}}
    assert [t.reward for t in run.evaluation_trajectories("after")] == [0.5]
    assert list(run.evaluation_trajectories("before")) == []
    with pytest.raises(ValueError, match="step-000010"):
        run.add_evaluation("../evil", {})


# ---- going on


def full(tmp_path: Path) -> RunDirectory:
    run = made(tmp_path)
    run.add_evaluation("before", {"n": 1}, [episode()])
    for step in range(1, 7):
        run.add_trajectories(step, [episode(step)])
        run.add_metrics(step, {"loss": 1 / step})
        if step % 2 == 0:
            with run.checkpoint(step, keep=9) as inside:
                (inside / "weights").write_text(str(step))
            run.add_evaluation(f"step-{step:06d}", {"n": step}, [episode(step)])
    run.add_evaluation("after", {"n": 2}, [episode()])
    run.write_json("result.json", {"steps": 6})
    run.write_report()
    return run


def state(run: RunDirectory) -> object:
    return (
        [line["step"] for line in run.metrics()],
        run.trajectory_steps(),
        list(run.evaluations()),
        run.checkpoint_steps(),
        sorted(path.name for path in run.path.rglob("*") if path.name.startswith((".tmp", ".old"))),
        (run.path / "result.json").exists(),
    )


REWOUND: object = ([1, 2, 3, 4], [1, 2, 3, 4], ["before", "step-000002", "step-000004"], [2, 4], [], False)


def test_rewinding_forgets_what_came_after(tmp_path: Path) -> None:
    run = full(tmp_path)
    lines = (run.path / "metrics.jsonl").read_bytes().splitlines()
    (run.path / "checkpoints" / ".tmp-step-000006~ab").mkdir()
    (run.path / "metrics.jsonl").write_bytes(b"\n".join([*lines, b'{"step":7,"lo']))
    run.rewind(4)
    assert state(run) == REWOUND
    assert (run.path / "metrics.jsonl").read_bytes().splitlines() == lines[:4], "kept lines keep every byte"
    assert not (run.path / "evaluations" / "after.jsonl.gz").exists()
    assert not (run.path / "report.html").exists()
    run.rewind(4)
    assert state(run) == REWOUND
    run.rewind(0)
    assert state(run) == ([], [], ["before"], [], [], False)


def test_rewinding_can_be_interrupted_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the n-th change on disk for every n; a second attempt always ends where one clean attempt does."""

    class Killed(BaseException):
        pass

    original = full(tmp_path)

    def interrupted(after: int) -> bool:
        run = RunDirectory.open(shutil.copytree(original.path, tmp_path / str(after)))
        left = after

        def limited(real: Any) -> Any:
            def call(*args: Any, **kwargs: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    raise Killed
                return real(*args, **kwargs)

            return call

        with monkeypatch.context() as patch:
            for name in ("unlink", "rename", "replace"):
                patch.setattr(Path, name, limited(getattr(Path, name)))
            try:
                run.rewind(4)
            except Killed:
                done = False
            else:
                done = True
        again = RunDirectory.open(run.path)
        step, _ = again.latest_checkpoint() or (0, None)
        assert step in (4, 6), "an interrupted rewind has dropped no checkpoint that it should keep"
        again.rewind(4)
        assert state(again) == REWOUND
        return done

    changes = next(after for after in range(100) if interrupted(after))
    assert changes == 10, "each was interrupted once"


def test_a_directory_that_was_being_replaced_comes_back(tmp_path: Path) -> None:
    run = full(tmp_path)
    latest = run.path / "checkpoints" / "step-000006"
    latest.rename(latest.with_name(".old-step-000006~1a2b"))
    assert RunDirectory.open(run.path).checkpoint_steps() == [2, 4]
    run.rewind(6)
    assert run.checkpoint_steps() == [2, 4, 6]
    assert (latest / "weights").read_text() == "6"


def test_resuming_is_recorded_with_what_changed(tmp_path: Path) -> None:
    run = made(tmp_path)
    plugins = no_plugins()
    plugins.plugins.append(Plugin("new", "rftgym-new", "1.0"))
    run.record_resume(7, plugins)
    (resumed,) = RunDirectory.open(run.path).read_json("environment.json")["resumed"]
    assert resumed["step"] == 7
    assert [plugin["name"] for plugin in resumed["plugins"]] == ["new"]
    assert "cpu" not in resumed


WRITER = """
import sys
from pathlib import Path
sys.path[:0] = [{root!r}, {tests!r}]
from test_runs import episode, made
run = made(Path({runs!r}))
print(run.path, flush=True)
for step in range(1, 10_000):
    run.add_trajectories(step, [episode(step) for _ in range(20)])
    run.add_metrics(step, {{"loss": 1 / step, "text": 0.1}})
    if step % 3 == 0:
        with run.checkpoint(step) as inside:
            for part in range(3):
                (inside / f"part-{{part}}").write_bytes(bytes([step % 256]) * 5_000)
        run.add_evaluation(f"step-{{step:06d}}", {{"n": step}}, [episode(step)])
        run.write_json("result.json", {{"steps": step}})
    print(step, flush=True)
"""


def writer(tmp_path: Path) -> subprocess.Popen[str]:
    here = Path(__file__).parent
    script = WRITER.format(root=str(here.parent), tests=str(here), runs=str(tmp_path / "runs"))
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_writer_loses_nothing_that_it_had_finished(tmp_path: Path, seed: int) -> None:
    process = writer(tmp_path)
    assert process.stdout is not None
    path = Path(process.stdout.readline().strip())
    time.sleep(random.Random(seed).uniform(0.02, 0.4))
    os.kill(process.pid, signal.SIGKILL)
    acknowledged = process.stdout.read().split()
    process.wait()
    steps = int(acknowledged[-1]) if acknowledged else 0

    run = RunDirectory.open(path)
    assert [line["step"] for line in run.metrics()][:steps] == list(range(1, steps + 1))
    assert set(run.trajectory_steps()) >= set(range(1, steps + 1))
    for step in run.trajectory_steps():
        assert len(list(run.trajectories(step))) == 20
    for when, evaluation in run.evaluations().items():
        assert evaluation == {"n": int(when.removeprefix("step-"))}
    step, latest = run.latest_checkpoint() or (0, None)
    assert step >= steps - steps % 3
    if latest is not None:
        assert sorted(part.read_bytes() for part in latest.iterdir()) == [bytes([step % 256]) * 5_000] * 3
    run.rewind(step)
    assert [line["step"] for line in run.metrics()] == run.trajectory_steps() == list(range(1, step + 1))
    assert not [path for path in run.path.rglob("*") if path.name.startswith((".tmp", ".old"))]


def test_a_run_that_is_being_written_is_not_resumed(tmp_path: Path) -> None:
    process = writer(tmp_path)
    try:
        assert process.stdout is not None
        run = RunDirectory.open(process.stdout.readline().strip())
        with pytest.raises(UsageError, match=f"written by process {process.pid}"):
            run.rewind(0)
    finally:
        process.kill()
        process.communicate()
    run.rewind(0)
    assert run.metrics() == []


# ---- files


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    run = made(tmp_path)
    run.write_json("note.json", {"a": math.inf, "path": Path("x/y"), "pair": (1, 2)})
    assert strict((run.path / "note.json").read_bytes()) == {"a": "Infinity", "path": "x/y", "pair": [1, 2]}
    with pytest.raises(TypeError, match="object is not a JSON value"):
        run.write_json("note.json", {"a": object()})
    assert run.read_json("note.json")["pair"] == [1, 2]
    (run.path / "note.json").write_text("{")
    with pytest.raises(RftgymError, match=r"note\.json is damaged"):
        run.read_json("note.json")


def test_a_reader_sees_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path, size, stop = tmp_path / "file", 2_000_000, threading.Event()
    atomic.write_bytes(path, b"a" * size)

    def write() -> None:
        for letter in itertools.cycle(b"ab"):
            atomic.write_bytes(path, bytes([letter]) * size)
            if stop.is_set():
                return

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(200):
            assert path.read_bytes() in (b"a" * size, b"b" * size)
    finally:
        stop.set()
        thread.join()


def test_bytes_are_on_the_disk_before_the_name_that_promises_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[object] = []
    fsync, replace, rename = os.fsync, Path.replace, Path.rename

    def note(name: str, real: Any) -> Any:
        def call(path: Path, target: Path) -> Path:
            events.append(name)
            return real(path, target)  # type: ignore[no-any-return]

        return call

    def flushed(descriptor: int) -> None:
        events.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(Path, "replace", note("named", replace))
    monkeypatch.setattr(Path, "rename", note("named", rename))
    here = tmp_path.stat().st_ino
    atomic.write_bytes(tmp_path / "file", b"x")
    assert events == [(tmp_path / "file").stat().st_ino, "named", here]

    events.clear()
    with atomic.new_directory(tmp_path / "folder") as inside:
        (inside / "part").write_bytes(b"x")
    folder = tmp_path / "folder"
    assert events == [(folder / "part").stat().st_ino, folder.stat().st_ino, "named", here]

    events.clear()
    atomic.append_line(tmp_path / "lines", b"x")
    atomic.append_line(tmp_path / "lines", b"y")
    lines = (tmp_path / "lines").stat().st_ino
    assert events == [lines, here, lines]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = made(tmp_path)
    run.write_json("note.json", 1)

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        run.write_json("note.json", 2)
    assert run.read_json("note.json") == 1
    assert not list(run.path.glob(".tmp*"))


def test_nothing_heavy_is_imported() -> None:
    heavy = "torch transformers trl datasets triton numpy gymnasium pydantic"
    code = (
        "import sys, rftgym.runs.directory, rftgym.runs.report; "
        f"print([name for name in '{heavy}'.split() if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=directory_root())
    assert found.stdout.strip() == "[]", found.stderr


def directory_root() -> Path:
    return Path(directory.__file__).parents[2]
