"""``rftgym bench``: its figures are held against environments that take what is known beforehand."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym import hookimpl
from rftgym.bench import Report, crews, measure, stages
from rftgym.bench.plays import FEWEST, MOST, plays_of
from rftgym.cli import main
from rftgym.errors import ContractError, UsageError
from rftgym.plugins import Plugins, discover
from rftgym.registry import make
from rftgym.specs import EnvSpec
from rftgym.tasks import ListTaskset, ProceduralTaskset


def burn(seconds: float) -> None:
    """Use so much CPU time of this thread."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


class Known(rftgym.MultiTurnEnv[int]):
    """Three turns; what a test puts into ``work`` and ``judge`` is what a turn and a scoring take."""

    max_turns = 3
    parser = rftgym.TagParser("answer")
    work: Callable[[], Any] = staticmethod(lambda: None)
    judge: Callable[[], Any] = staticmethod(lambda: None)

    def make_tasks(self) -> rftgym.tasks.Taskset:  # type: ignore[name-defined]
        return ProceduralTaskset(lambda split, rng, id: rftgym.Task(id, {"n": rng.randrange(100)}, split))

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([rftgym.Component("right", self.right)], success="right")

    def right(self, answer: str | None, task: rftgym.Task) -> float:
        self.judge()
        return float(answer == str(task.data["n"]))

    def begin(self, task: rftgym.Task, rng: Random) -> tuple[int, str]:
        return 0, "Say it three times."

    def respond(self, state: int, turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        self.work()
        return rftgym.Response("Again.")

    def demonstrate(self, task: rftgym.Task, seed: int) -> list[rftgym.Message]:
        said = rftgym.Message("assistant", f"<answer>{task.data['n']}</answer>")
        asked, again = rftgym.Message("user", "Say it three times."), rftgym.Message("user", "Again.")
        return [asked, said, again, said, again, said]


def known(**members: Any) -> rftgym.TextEnv[Any]:
    made: rftgym.TextEnv[Any] = type("Known", (Known,), members)()
    return made


def own_words(self: object) -> None:
    raise UsageError("its own words")


def share(report: Report, name: str) -> float:
    (found,) = (stage.share.median for stage in report.stages if stage.name == name)
    return found


class TestFigures:
    def test_counts_what_was_played(self) -> None:
        report = measure(known(), seconds=0.1, workers=())
        assert (report.env, report.split, report.turns) == ("Known", "train", 3.0)
        assert report.tasks % FEWEST == 0
        assert report.solved == 0.5 and report.unscored == 0.0
        steps, episodes = report.per_cpu_second["steps"], report.per_cpu_second["episodes"]
        assert steps.median == pytest.approx(3 * episodes.median)
        assert steps.low <= steps.median <= steps.high

    def test_rates_are_those_of_the_work_that_there_is(self) -> None:
        env = known(work=staticmethod(lambda: burn(0.002)), judge=staticmethod(lambda: burn(0.008)))
        report = measure(env, seconds=1.0, workers=())
        assert 1 / report.per_cpu_second["episodes"].median == pytest.approx(0.014, rel=0.15)
        assert 1 / report.per_cpu_second["scorings"].median == pytest.approx(0.008, rel=0.15)
        assert share(report, "reward right") / share(report, "respond") == pytest.approx(8 / 6, rel=0.2)
        assert share(report, "reward right") + share(report, "respond") > 0.9

    def test_waiting_takes_no_cpu_time(self) -> None:
        report = measure(known(work=staticmethod(lambda: time.sleep(0.005))), seconds=0.2, workers=())
        assert report.per_second["steps"].high < 200
        assert report.per_cpu_second["steps"].median > 5 * report.per_second["steps"].median
        (respond,) = (stage for stage in report.stages if stage.name == "respond")
        assert respond.wall_microseconds > 15_000 > 5 * respond.cpu_microseconds

    def test_the_cpu_time_of_other_processes_counts(self) -> None:
        burning = "import time; u = time.process_time() + .04\nwhile time.process_time() < u: pass"

        def outside() -> None:
            subprocess.run([sys.executable, "-S", "-c", burning], check=True)

        report = measure(known(max_turns=1, work=staticmethod(outside)), seconds=0.1, workers=())
        assert 1 / report.per_cpu_second["steps"].median > 0.04
        assert share(report, "respond") > 0.8

    def test_so_does_that_of_one_which_goes_on_living(self) -> None:
        served = "import sys, time\nfor line in sys.stdin:\n u = time.process_time() + .04\n"
        served += " while time.process_time() < u: pass\n print(flush=True)"
        with subprocess.Popen(
            [sys.executable, "-S", "-c", served], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:

            def outside() -> None:
                assert server.stdin is not None and server.stdout is not None
                server.stdin.write("go\n")
                server.stdin.flush()
                server.stdout.readline()

            report = measure(known(max_turns=1, work=staticmethod(outside)), seconds=0.1, workers=())
            server.kill()
        if Path("/proc/self/task").is_dir():  # where the system shows it
            assert 1 / report.per_cpu_second["steps"].median > 0.03

    def test_shares_are_of_the_whole_and_in_the_order_of_an_episode(self) -> None:
        report = measure(make("wordle"), seconds=0.2, workers=())
        assert [stage.name for stage in report.stages if not stage.name.startswith("reward")] == [
            *("tasks", "begin", "parse", "respond"),
            *("keeping the episode", "calling the rewards"),
        ]
        assert sum(stage.share.median for stage in report.stages) == pytest.approx(1, abs=0.15)
        names = [stage.name.removeprefix("reward ") for stage in report.stages if "reward " in stage.name]
        assert names == [component.name for component in make("wordle").rubric.components]

    def test_a_stage_inside_another_counts_once(self) -> None:
        watch = stages.Stopwatch()
        with watch.stage("outer"):
            burn(0.02)
            with watch.stage("inner"):
                burn(0.04)
        inner, outer = watch.taken["inner"], watch.taken["outer"]
        assert inner.cpu >= 0.04 and inner.wall >= 0.04
        assert 0.02 <= outer.cpu < inner.cpu

    def test_an_environment_may_look_at_its_parser_and_tasks(self) -> None:
        class Looks(Known):
            @property
            def parser(self) -> rftgym.TagParser:  # type: ignore[override]
                return rftgym.TagParser("answer")

            def begin(self, task: rftgym.Task, rng: Random) -> tuple[int, str]:
                assert isinstance(self.parser, rftgym.TagParser) and self.parser.tag == "answer"
                assert isinstance(self.tasks, ProceduralTaskset)
                return super().begin(task, rng)

        report = measure(Looks(), seconds=0.05, workers=())
        assert share(report, "parse") > 0 and share(report, "tasks") > 0

    def test_rewards_of_the_parts_of_a_mix(self) -> None:
        report = measure("wordle:2,math:1", seconds=0.1, workers=())
        names = {stage.name for stage in report.stages}
        assert {"reward wordle/win", "reward math/correct", "parse", "respond"} <= names

    def test_an_asynchronous_reward(self) -> None:
        async def waits() -> float:
            await asyncio.sleep(0.001)
            return 1.0

        env = known()
        env.rubric = env.rubric.changed(add=[rftgym.Component("waits", waits)])
        report = measure(env, seconds=0.1, workers=())
        assert next(each for each in report.stages if each.name == "reward waits").wall_microseconds > 1000
        assert any("asynchronous" in note for note in report.notes)

    def test_what_cannot_be_scored_is_said(self) -> None:
        def fails() -> None:
            raise ValueError("no")

        report = measure(known(judge=staticmethod(fails)), seconds=0.1, workers=())
        assert report.unscored == 1.0 and report.solved == 0.0
        assert "reward 'right' failed: ValueError: no" in report.notes

    def test_the_environment_stays_as_it_was(self) -> None:
        env = known()
        before = (type(env), env.rubric, env.tasks, env.parser, dict(vars(env)))
        measure(env, seconds=0.05, workers=())
        assert (type(env), env.rubric, env.tasks, env.parser, dict(vars(env))) == before


class TestPlays:
    @given(seed=st.integers(0, 2**31 - 1), size=st.integers(1, 200))
    def test_a_quarter_is_garbage_and_a_quarter_breaks_off(self, seed: int, size: int) -> None:
        env = known()
        env.tasks = ListTaskset(rftgym.Task(str(n), {"n": n}) for n in range(size))
        plays, solves = plays_of(env, seed, 10.0)
        assert solves and len(plays) == min(size, MOST)
        assert len({play.index for play in plays}) == len(plays)
        for number, play in enumerate(plays):
            said = f"<answer>{play.index}</answer>"
            if number % 4 == 3:
                assert len(play.completions) == 1 and said not in play.completions
            else:
                assert play.completions[:2] == (said, said)
                assert (play.completions[2] == said) == (number % 4 != 2)
        assert plays_of(env, seed, 10.0) == (plays, solves)

    def test_no_more_are_made_than_there_is_time_for(self) -> None:
        def slowly(self: Known, task: rftgym.Task, seed: int) -> list[rftgym.Message]:
            time.sleep(0.05)
            return Known.demonstrate(self, task, seed)

        plays, _ = plays_of(known(demonstrate=slowly), 0, 0.01)
        assert len(plays) == FEWEST

    def test_an_environment_that_shows_no_solution(self) -> None:
        report = measure(known(demonstrate=lambda self, task, seed: None), seconds=0.05, workers=())
        assert report.solved == 0.0 and any("no solutions" in note for note in report.notes)

    def test_another_split_where_there_is_nothing_to_train_on(self) -> None:
        env = known()
        env.tasks = ListTaskset([rftgym.Task("a", {"n": 1}, "test")])
        assert measure(env, seconds=0.05, workers=()).split == "test"


FILE = """
from __future__ import annotations
import random
import rftgym
from rftgym.tasks import ProceduralTaskset


@rftgym.reward()
def right(answer, task) -> float:
    return float(answer == task.data["n"])


class FromFile(rftgym.SingleTurnEnv):
    '''In a file of the user's own.'''

    def __init__(self, times: int = 1, **kwargs) -> None:
        self.times = times
        print("made")  # nobody may take this for an answer
        super().__init__(**kwargs)

    def make_tasks(self):
        return ProceduralTaskset(lambda split, rng, id: rftgym.Task(id, {"n": str(rng.random())}, split))

    def make_rubric(self):
        return rftgym.Rubric([right], success="right")

    def prompt(self, task):
        return "?"

    def demonstrate(self, task, seed):
        return [rftgym.Message("user", "?"), rftgym.Message("assistant", task.data["n"])]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "from_file.py"
    path.write_text(FILE, encoding="utf-8")
    return path


class TestScaling:
    def test_processes_make_the_environment_of_a_file_again(self, file: Path) -> None:
        report = measure(f"{file}:FromFile", seconds=0.1, workers=(1, 2))
        assert [(each.kind, each.number) for each in report.scaling] == [("processes", 1), ("processes", 2)]
        assert not report.notes and report.scaling[0].speedup == 1
        for each in report.scaling:
            assert each.steps_per_second == pytest.approx(each.episodes_per_second)
            # In any process it is the same work, whatever else this machine does.
            ratio = each.steps_per_cpu_second / report.per_cpu_second["steps"].median
            assert 0.3 < ratio < 3

    def test_what_stands_in_the_folder_hides_nothing_from_them(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "queue.py").write_text("raise ImportError('not the one that was wanted')")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
        report = measure("wordle", seconds=0.05, workers=(1,))
        assert len(report.scaling) == 1 and not report.notes

    def test_and_one_that_was_registered_in_this_process_only(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.syspath_prepend(str(file.parent))
        plugins = discover()
        plugins.register(EnvSpec("mine", "from_file:FromFile", kwargs={"times": 2}))
        report = measure("mine", seconds=0.05, workers=(1,), plugins=plugins)
        assert len(report.scaling) == 1 and not report.notes

    def test_a_plugin_that_is_an_object_of_this_process_is_said_and_the_rest_measured(self) -> None:
        class Here:
            @hookimpl
            def rftgym_environments(self) -> list[EnvSpec]:
                return [EnvSpec("here", "tests.nowhere:Env")]

        plugins = discover()
        plugins.add(Here(), name="here")
        report = measure("wordle", seconds=0.05, workers=(1,), plugins=plugins)
        assert report.scaling == () and report.per_cpu_second["steps"].median > 0
        assert "processes were not measured: plugin here is an object" in report.notes[0]

    def test_what_another_process_cannot_make_is_said_with_its_reason(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here = "        import os; os.environ['ONLY_HERE']\n        self.times = times"
        file.write_text(FILE.replace("        self.times = times", here), encoding="utf-8")
        begin = crews._worker

        def begin_elsewhere() -> Any:
            monkeypatch.delenv("ONLY_HERE")
            return begin()

        monkeypatch.setenv("ONLY_HERE", "1")
        monkeypatch.setattr(crews, "_worker", begin_elsewhere)
        report = measure(f"{file}:FromFile", seconds=0.05, workers=(1,))
        assert report.scaling == () and "KeyError: 'ONLY_HERE'" in report.notes[0]

    def test_an_environment_that_is_an_object_is_measured_here_only(self) -> None:
        report = measure(known(), seconds=0.05, workers=(1, 2))
        assert report.scaling == () and "cannot be made again" in report.notes[0]

    def test_a_slow_one_is_measured_with_threads(self) -> None:
        report = measure(
            known(slow=True, work=staticmethod(lambda: time.sleep(0.02))), seconds=0.3, workers=()
        )
        found = {each.number: each for each in report.scaling if each.kind == "threads"}
        assert set(found) >= {1, 2}
        assert 1.5 < found[2].speedup < 2.5  # they wait at the same time

    def test_nothing_is_left_running(self, file: Path) -> None:
        measure(f"{file}:FromFile", seconds=0.05, workers=(2,))
        mine = Path("/proc/self/task")
        if mine.is_dir():
            children = [int(c) for f in mine.glob("*/children") for c in f.read_text().split()]
            commands = [Path(f"/proc/{child}/cmdline").read_bytes() for child in children]
            assert not [command for command in commands if b"rftgym.bench.worker" in command]


class TestCommandLine:
    def test_json(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        options = ["--seconds", "0.05", "--workers", "1", "--json", "--set", "env.kwargs.times=3"]
        assert main(["bench", f"{file}:FromFile", "--reward", "brevity=0.1", *options]) == 0
        found = json.loads(capsys.readouterr().out)  # and nothing beside it, though the environment prints
        assert found["env"] == "from_file.py:FromFile"
        assert set(found["per_cpu_second"]) == {"steps", "episodes", "scorings"}
        assert "reward brevity" in [stage["name"] for stage in found["stages"]]
        assert [each["number"] for each in found["scaling"]] == [1]

    def test_text(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["bench", "wordle", "--seconds", "0.05", "--workers", "0"]) == 0
        out = capsys.readouterr().out
        assert re.match(
            r"wordle: \d+ train tasks x \d+ a round, 5 rounds; [\d.]+ turns an episode, 50% solved\n", out
        )
        for word in ("steps", "episodes", "scorings", "respond", "reward win", "calling the rewards"):
            assert any(line.strip().startswith(word) for line in out.splitlines()), word

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["wordel"], "did you mean 'wordle'?"),
            (["./nothing.py:Env"], "no file at"),
            (["wordle", "--seconds", "0"], "seconds=0.0"),
            (["wordle", "--seconds", "nan"], "seconds=nan"),
            (["wordle", "--seconds", "inf"], "seconds=inf"),
            (["wordle", "--workers", "-1"], "--workers -1"),
            (["wordle", "--reward", "nobody=1"], "nobody"),
            (["wordle", "--set", "env.kwargs.colour=1"], "cannot be made with colour"),
            ([], "Missing argument"),
        ],
    )
    def test_bad_usage_exits_2(
        self, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["bench", *arguments]) == 2
        captured = capsys.readouterr()
        assert said in captured.err and captured.out == ""

    def test_an_environment_that_fails_exits_1_and_is_named(
        self, file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file.write_text(FILE.replace('return "?"', 'raise LookupError("lost")'), encoding="utf-8")
        assert main(["bench", f"{file}:FromFile"]) == 1
        said = capsys.readouterr().err
        assert "'from_file.py:FromFile' raised LookupError: lost" in said and "rftgym check" in said

    @pytest.mark.parametrize("error", ["LookupError('lost')", "SystemExit('lost')"])
    def test_and_so_is_one_that_cannot_show_a_solution(
        self, error: str, file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        shows = f"\n    def demonstrate(self, task, seed):\n        raise {error}\n"
        file.write_text(FILE + shows, encoding="utf-8")
        assert main(["bench", f"{file}:FromFile"]) == 1
        said = capsys.readouterr().err
        assert f"raised {error.partition('(')[0]}: lost (demonstrate()" in said and "Traceback" not in said


def test_the_python_door_refuses_what_makes_no_sense() -> None:
    with pytest.raises(UsageError, match="workers"):
        measure("wordle", workers=(0,))
    empty = known()
    empty.tasks = ListTaskset([])
    with pytest.raises(UsageError, match="no tasks"):
        measure(empty)
    with pytest.raises(ContractError, match="'Known' raised ZeroDivisionError"):
        measure(known(work=staticmethod(lambda: 1 / 0)))
    with pytest.raises(UsageError, match=r"^its own words$"):  # an error on purpose needs no other
        measure(known(work=own_words))
    assert not Plugins().plugins
