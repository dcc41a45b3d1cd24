"""The catalogue of hooks is whole and true: each hook and spec has its section, and each example does what it says.

An example is installed as a distribution with an entry point and found by discovery. Its hook functions are wrapped on
the way, so that what counts as tested is what rftgym really called.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import rftgym
from rftgym import hookspecs
from rftgym.config import EnvSettings, ModelSettings, RewardSettings, RunConfig
from rftgym.errors import PluginError, UsageError
from rftgym.parser import Parsed
from rftgym.plugins import HOOKS, REGISTRATION_HOOKS, Plugins, discover
from rftgym.registry import changed_rubric, make_configured, make_parser, make_policy, make_sandbox
from rftgym.runs.directory import RunDirectory
from rftgym.runs.sources import named_in
from rftgym.sandbox import commands
from rftgym.specs import KINDS
from rftgym.training import resume
from rftgym.types import Check, Trajectory

sys.path.insert(0, str(Path(__file__).parent))  # tests are no package
from pages import ROOT, SITE, blocks, install, write

sys.path.remove(str(Path(__file__).parent))

PAGE = ROOT / "docs" / "hooks.md"
RUN_TIME = sorted(name for name in HOOKS if name.startswith("on_"))
SMALL: dict[str, Any] = {
    "env": "wordle",
    "trainer": {"id": "raft", "steps": 2, "prompts": 2, "group_size": 2, "learning_rate": 0.1},
    "evaluation": {"n": 2, "every": 1, "every_n": 2},
    "sampling": {"max_tokens": 8},
    "guard": {"preflight": "off", "dry_step": False},
}
Call = dict[str, Any]


def sections() -> dict[str, str]:
    """The page's text by the headings of its second level."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@dataclass
class Examples:
    """The page's plugins, installed, and the calls of their hooks.

    Attributes:
        plugins: what discovery finds: the installed ones and the page's.
        calls: by hook, the arguments of each call; ``registered`` has the ids that each registration hook returned.
        at_discovery: by hook, how often it was called then.
    """

    plugins: Plugins
    calls: dict[str, list[Call]] = field(default_factory=dict)
    registered: dict[str, list[str]] = field(default_factory=dict)
    at_discovery: dict[str, int] = field(default_factory=dict)


def packages() -> dict[str, str]:
    """Each plugin of the page by its package, with the section that it stands in."""
    return {
        package: section
        for section, text in sections().items()
        for package in re.findall(r"<!-- plugin file: (\w+)/__init__\.py -->", text)
    }


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examples]:
    folder = tmp_path_factory.mktemp("page")
    for block in blocks(PAGE):
        if block.mark.startswith("plugin file: "):
            write(block, folder)
    found = Examples(Plugins())
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder / SITE)
        for package in packages():
            record(importlib.import_module(package), found)
        found.plugins = discover()
        found.at_discovery = {hook: len(calls) for hook, calls in found.calls.items()}
        yield found
        for name in [each for each in sys.modules if each.partition(".")[0] in packages()]:
            del sys.modules[name]


def record(module: Any, into: Examples) -> None:
    """Wrap a module's hook functions so that each call is noted, with its arguments and what it gave."""
    for name in HOOKS & set(vars(module)):
        setattr(module, name, recording(name, getattr(module, name), into))


def recording(name: str, function: Callable[..., Any], into: Examples) -> Callable[..., Any]:
    @functools.wraps(function)  # keeps pluggy's mark and the signature
    def called(*arguments: Any) -> Any:
        given = inspect.signature(function).bind(*arguments).arguments
        into.calls.setdefault(name, []).append(dict(given))
        result = function(*arguments)
        into.registered.setdefault(name, []).extend(getattr(each, "id", "") for each in result or ())
        return result

    return called


@dataclass(frozen=True)
class Trained:
    """A run with all examples installed."""

    run: RunDirectory
    result: Mapping[str, Any]


@pytest.fixture(scope="module")
def trained(examples: Examples, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    runs = tmp_path_factory.mktemp("runs")
    result = rftgym.train(**SMALL, runs=str(runs), plugins=examples.plugins)
    return Trained(RunDirectory.open(result["run"]), result)


# ------------------------------------------------------------------------------------------------- the page is complete


def test_the_page_has_a_section_on_every_hook_and_on_nothing_else() -> None:
    assert list(sections()) == [
        *(name for name in vars(hookspecs) if name in HOOKS and name.startswith("rftgym_")),
        *(name for name in vars(hookspecs) if name in HOOKS and name.startswith("on_")),
    ], "docs/hooks.md lists the hooks in the order of rftgym/hookspecs.py"


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_a_section_says_when_a_hook_is_called_with_what_and_what_becomes_of_it(hook: str) -> None:
    text = sections()[hook]
    facts = dict(re.findall(r"^- \*\*(\w+)\*\*: (.+(?:\n  .+)*)", text, re.MULTILINE))
    assert list(facts) == ["Called", "Arguments", "Returns", "Exception"]
    arguments = inspect.signature(getattr(hookspecs, hook)).parameters
    named = re.findall(r"`(\w+)`", re.sub(r"\([^()]*\)", "", facts["Arguments"]))
    assert named == list(arguments), f"docs/hooks.md: the arguments of {hook} are {', '.join(arguments)}"
    assert ("nothing" in facts["Returns"]) == hook.startswith("on_")


@pytest.mark.parametrize(("hook", "kind"), sorted(REGISTRATION_HOOKS.items()))
def test_a_section_explains_every_field_of_its_spec(hook: str, kind: str) -> None:
    spec = KINDS[kind]
    rows = re.findall(r"^\| `(\w+)` \| .+ \|$", sections()[hook], re.MULTILINE)
    assert rows == [
        *("id", "entry_point", "summary", "kwargs"),
        *sorted(set(rows) - {"id", "entry_point", "summary", "kwargs"}, key=rows.index),
    ]
    assert set(rows) == {each.name for each in fields(spec)}, f"docs/hooks.md: the fields of {spec.__name__}"
    assert f"`{spec.__name__}`" in sections()[hook]


def test_every_hook_has_an_example_in_its_own_section(examples: Examples) -> None:
    of_page = {each.name: each for each in examples.plugins.plugins if each.distribution in distributions()}
    assert {name: each.error for name, each in of_page.items() if each.error} == {}
    assert len(of_page) == len(packages())
    assert set(packages().values()) == set(HOOKS)
    for package, section in packages().items():
        module = importlib.import_module(package)
        assert HOOKS & set(vars(module)) == {section}, f"{package} stands in the section on {section}"


def distributions() -> set[str]:
    return {package.replace("_", "-") for package in packages()}


# ------------------------------------------------------------------------------------------ each example has its effect


def env_is_made(examples: Examples) -> None:
    env = rftgym.make("reverse", plugins=examples.plugins)
    env.reset(options={"task": "river"})
    assert env.step("<answer>revir</answer>")[1] == 1.0
    family = rftgym.make("caesar:by-3", plugins=examples.plugins)
    family.reset(options={"task": "light"})
    assert family.step("oljkw")[1] == 1.0
    with pytest.raises(UsageError, match="caesar:by-30: there are by-1"):
        rftgym.make("caesar:by-30", plugins=examples.plugins)


def reward_joins_another_environment(examples: Examples) -> None:
    env = rftgym.make("wordle", plugins=examples.plugins)
    settings = RewardSettings(add={"thanks": 0.5, "at-most-40": 0.25})
    env.rubric = changed_rubric(env.rubric, settings, plugins=examples.plugins)
    env.reset(seed=0)
    over, info = False, {}
    while not over:
        *_, terminated, truncated, info = env.step("<guess>crane</guess> Thanks!")
        over = terminated or truncated
    components = info["score"].components
    assert (components["thanks"], components["at-most-40"]) == (1.0, 1.0)


def parser_reads_answers(examples: Examples) -> None:
    parser = make_parser("boxed", plugins=examples.plugins)
    assert parser.parse(r"so \boxed{\frac{1}{2}}.") == Parsed(r"\frac{1}{2}", True)
    assert parser.parse(r"\boxed{1} or \boxed{2}") == Parsed("2", False)
    assert parser.parse(r"\boxed{never closed") == parser.parse("") == Parsed(None, False)
    settings = EnvSettings(id="reverse", parser="boxed")
    env = make_configured(settings, RewardSettings(), plugins=examples.plugins)
    env.reset(options={"task": "stone"})
    assert env.step(r"\boxed{enots}")[1] == 1.0
    with pytest.raises(UsageError, match="belongs to one environment"):
        make_configured(
            EnvSettings(id="reverse,wordle", parser="boxed"), RewardSettings(), plugins=examples.plugins
        )


def policy_plays(examples: Examples) -> None:
    policy = make_policy(ModelSettings(id="say:<answer>thgil</answer>"), plugins=examples.plugins)
    found = rftgym.evaluate("reverse", policy, n=2, plugins=examples.plugins)
    assert found.success["mean"] == 0.5
    with pytest.raises(UsageError, match="does not say what"):
        make_policy(ModelSettings(id="say:"), plugins=examples.plugins)
    with pytest.raises(UsageError, match="no weights that can be trained"):
        make_policy(ModelSettings(id="say:x"), trainable=True, plugins=examples.plugins)


def trainer_trains(trained: Trained) -> None:
    assert trained.run.config["trainer"]["id"] == "raft"
    assert [line["step"] for line in trained.run.metrics()] == [1, 2]
    assert any((trained.run.path / "adapter").iterdir())


def sandbox_runs_and_ends_jobs(examples: Examples) -> None:
    with make_sandbox("frugal", plugins=examples.plugins) as sandbox:
        done = commands.finished(sandbox.run(commands.command(["echo", "hello"])))
        assert done.stdout == b"hello\n"
        outcome = sandbox.run(commands.command(["sleep", "60"]))
    assert outcome.status == "timeout" and outcome.seconds < 30


def command_answers(examples: Examples, monkeypatch: pytest.MonkeyPatch) -> None:
    from rftgym.cli.app import app
    from rftgym.cli.catalog import help_text

    monkeypatch.setattr("rftgym.registry.installed", lambda: examples.plugins)
    assert re.search(
        r"^  show +Show some tasks of an environment\.$", help_text(examples.plugins), re.MULTILINE
    )
    done = CliRunner().invoke(app, ["show", "reverse", "-n", "2", "--split", "test"])
    assert sorted(line.partition(":")[0] for line in done.output.splitlines()) == ["chair", "light"]


def check_is_shown_by_doctor(examples: Examples, monkeypatch: pytest.MonkeyPatch) -> None:
    from rftgym.cli.checks import _by_plugins

    assert "rftgym_checks" not in examples.calls, "only doctor asks"
    monkeypatch.setattr("rftgym.registry.installed", lambda: examples.plugins)
    assert "abacus" in [check.name for check in _by_plugins()]


def probe_is_tried_by_the_audit(examples: Examples) -> None:
    from rftgym.audit import audit

    found = audit("reverse", n=2, probe_ids=["flattery"], plugins=examples.plugins)
    assert {policy.name for policy in found.policies} == {"flattery/praise", "flattery/more praise"}
    said = [attempt.said for task in found.tasks for attempt in task.attempts]
    assert len(said) == 4 and all("fairest judge" in each or "wonderful" in each for each in map(str, said))
    assert found.gap["mean"] == 0.0


def run_begins(trained: Trained, calls: list[Call]) -> None:
    (call,) = calls
    assert call["config"] == trained.run.config
    noted = json.loads((trained.run.path / "whereabouts.json").read_text())
    assert (noted["model"], noted["trainer"]) == ("tiny", "raft")


def batches_are_told(trained: Trained, calls: list[Call]) -> None:
    assert [call["step"] for call in calls] == [1, 2]
    for call in calls:
        played: list[Trajectory] = call["trajectories"]
        assert len(played) == 4 and played[0].group == played[1].group != played[2].group
        assert all(each.score is not None for each in played)
    assert (trained.run.path / "best.txt").read_text().count("[assistant]") >= 2


def steps_are_told(trained: Trained, calls: list[Call]) -> None:
    written = trained.run.metrics()
    assert [call["step"] for call in calls] == [1, 2]
    for call, line in zip(calls, written, strict=True):
        assert dict(call["metrics"]) == {name: line[name] for name in line if name not in ("step", "time")}
    rows = (trained.run.path / "steps.tsv").read_text().splitlines()
    assert [row.split("\t")[0] for row in rows] == ["1", "2"]


def evaluations_are_told(trained: Trained, calls: list[Call]) -> None:
    assert [(call["step"], call["evaluation"]["split"]) for call in calls] == [
        (0, "test"),
        (1, "validation"),
        (2, "test"),
    ]
    assert calls[0]["evaluation"]["success"] == trained.result["before"]["success"]
    assert len((trained.run.path / "held-out.tsv").read_text().splitlines()) == 3


def end_is_told(trained: Trained, calls: list[Call]) -> None:
    (call,) = calls
    assert call["result"] == json.loads(json.dumps(trained.result))
    assert (
        (trained.run.path.parent / "leaderboard.tsv").read_text().startswith(f"{trained.run.path.name}\t2\t")
    )
    assert (trained.run.path / "report.html").exists()


EFFECTS: dict[str, Callable[..., None]] = {
    "rftgym_environments": env_is_made,
    "rftgym_rewards": reward_joins_another_environment,
    "rftgym_parsers": parser_reads_answers,
    "rftgym_policies": policy_plays,
    "rftgym_trainers": trainer_trains,
    "rftgym_sandboxes": sandbox_runs_and_ends_jobs,
    "rftgym_commands": command_answers,
    "rftgym_probes": probe_is_tried_by_the_audit,
    "rftgym_checks": check_is_shown_by_doctor,
    "on_train_begin": run_begins,
    "on_rollout_end": batches_are_told,
    "on_step_end": steps_are_told,
    "on_evaluate": evaluations_are_told,
    "on_train_end": end_is_told,
}


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_the_example_has_its_effect_and_rftgym_called_it(
    hook: str, examples: Examples, request: pytest.FixtureRequest
) -> None:
    effect = EFFECTS.get(hook)
    assert effect, f"no test says what an example of {hook} does"
    wanted = inspect.signature(effect).parameters
    given = {name: request.getfixturevalue(name) for name in wanted if name != "calls"}
    if "calls" in wanted:
        given["calls"] = examples.calls.get(hook, [])  # also those that making the others has led to
    effect(**given)
    calls = examples.calls.get(hook, [])
    assert calls, f"rftgym did not call {hook}() of its example"
    known = set(inspect.signature(getattr(hookspecs, hook)).parameters)
    assert all(set(call) <= known for call in calls)
    if hook in REGISTRATION_HOOKS:
        assert set(examples.registered[hook]) <= set(examples.plugins.ids(REGISTRATION_HOOKS[hook]))
        assert examples.at_discovery[hook] == list(packages().values()).count(hook), "once a plugin"
    elif hook in RUN_TIME:
        assert all(isinstance(call["run"], RunDirectory) for call in calls)


# ----------------------------------------------------------------------------------------------- what an exception does


def failing(hook: str) -> Any:
    """A plugin module whose only hook fails."""
    module = type(sys)("rftgym_failing")
    module.__dict__[hook] = rftgym.hookimpl(fails)
    return module


def fails() -> None:
    raise ZeroDivisionError("as was to be shown")


def broken_probe(env: object, task: object, rng: object) -> None:
    fails()


@pytest.mark.parametrize("hook", sorted(REGISTRATION_HOOKS))
def test_a_failing_registration_hook_takes_its_own_plugin_out_and_no_other(
    hook: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    name = f"rftgym_failing_{hook}"
    (tmp_path / f"{name}.py").write_text(
        f"from rftgym import hookimpl\n@hookimpl\ndef {hook}():\n    raise ZeroDivisionError('shown')\n"
    )
    install(tmp_path, name)
    plugins = discover()
    (plugin,) = [each for each in plugins.plugins if each.distribution == name.replace("_", "-")]
    assert plugin.error == "ZeroDivisionError: shown"
    assert plugins.find("env", "wordle")


@pytest.mark.parametrize("hook", RUN_TIME)
def test_a_failing_run_time_hook_says_whose_it_is(hook: str) -> None:
    plugins = discover([])
    plugins.add(failing(hook), name="failing", distribution="rftgym-failing")
    arguments = dict.fromkeys(inspect.signature(getattr(hookspecs, hook)).parameters)
    with pytest.raises(ZeroDivisionError, match="as was to be shown") as caught:
        getattr(plugins.hooks, hook)(**arguments)
    assert caught.value.__notes__ == [f"raised in {hook}() of plugin 'failing', rftgym-failing"]


def test_a_failing_run_time_hook_ends_the_run_which_can_be_resumed_without_it(
    examples: Examples, tmp_path: Path
) -> None:
    def on_step_end(step: int) -> None:
        assert step < 2, "as was to be shown"

    module = type(sys)("rftgym_failing")
    module.__dict__["on_step_end"] = rftgym.hookimpl(on_step_end)
    plugins = discover()
    plugins.add(module, name="failing", distribution="rftgym-failing")
    with pytest.raises(AssertionError) as caught:
        rftgym.train(**SMALL, checkpoints={"every": 1}, runs=str(tmp_path), plugins=plugins)
    assert caught.value.__notes__ == ["raised in on_step_end() of plugin 'failing', rftgym-failing"]
    (path,) = tmp_path.glob("*-wordle-*")
    assert resume(path, plugins=discover())["steps"] == 2
    told = [line.split("\t")[0] for line in (path / "steps.tsv").read_text().splitlines()]
    assert told == ["1", "2"]


def test_a_failing_check_is_a_line_of_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    from rftgym.cli.checks import _by_plugins

    plugins = discover([])
    plugins.add(failing("rftgym_checks"), name="failing", distribution="rftgym-failing")
    monkeypatch.setattr("rftgym.registry.installed", lambda: plugins)
    (check,) = _by_plugins()
    assert isinstance(check, Check) and not check.ok and "as was to be shown" in check.detail


def test_hooks_are_called_with_any_of_their_arguments_last_plugin_first() -> None:
    told: list[str] = []
    plugins = discover([])
    for name in ("first", "second"):
        module = type(sys)(f"rftgym_{name}")
        module.on_step_end = rftgym.hookimpl(lambda step, name=name: told.append(f"{name} {step}"))  # type: ignore[attr-defined]
        plugins.add(module, name=name)
    plugins.hooks.on_step_end(run=None, step=3, metrics={})
    assert told == ["second 3", "first 3"]


def test_a_failing_probe_is_named_by_the_audit() -> None:
    from rftgym.audit import audit

    plugins = discover()
    plugins.register(rftgym.ProbeSpec("broken", f"{__name__}:broken_probe"), name="broken")
    with pytest.raises(PluginError, match=r"probe 'broken' failed on task .*ZeroDivisionError"):
        audit("math", n=1, probe_ids=["broken"], plugins=plugins)


def test_what_is_no_parser_is_told() -> None:
    plugins = discover([])
    plugins.register(rftgym.ParserSpec("dict", "builtins:dict"))
    with pytest.raises(PluginError, match="'builtins:dict' is no Parser"):
        make_parser("dict", plugins=plugins)


def test_a_parser_may_come_from_a_file_of_which_a_run_keeps_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shouted.py").write_text(
        "from rftgym.parser import Parsed, TextParser\n\n"
        "class Shouted(TextParser):\n"
        "    def parse(self, completion):\n        return Parsed(completion.upper(), True)\n"
    )
    config = RunConfig(env={"id": "dataset", "parser": "./shouted.py:Shouted"})
    assert config.env.parser == f"{tmp_path}/shouted.py:Shouted", "whole, to be resumed from any folder"
    assert named_in(config.model_dump(mode="json")) == [tmp_path / "shouted.py"]
    assert make_configured(config.env, config.rewards).parser.parse("a") == Parsed("A", True)
