"""`rftgym check`: each planted fault is found, by the rule that is about it, and nothing else is complained of."""

from __future__ import annotations

import ast
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym.cli import main
from rftgym.conformance import Finding, Report, examine
from rftgym.conformance.component import examine_reward
from rftgym.conformance.findings import Notes, finding
from rftgym.conformance.rules import RULES
from rftgym.conformance.words import clean, layout
from rftgym.errors import ContractError, UnknownIdError, UsageError
from rftgym.plugins import Plugins
from rftgym.registry import installed
from rftgym.specs import EnvSpec
from rftgym.testing import ContractWarning, check_env

FAULTS = Path(__file__).with_name("faults")
DOCS = Path(__file__).resolve().parents[1] / "docs" / "check.md"
# fault -> the rules that are broken, and no others. `*` behind one that another process is needed for.
PLANTED = {
    "making:Raises": ["cannot-be-made"],
    "making:Downloads": ["network-in-constructor"],
    "making:TriesTheNetwork": ["network-in-constructor"],
    "making:WritesFiles": ["writes-in-constructor"],
    "making:TakesAnything": ["unknown-argument-accepted"],
    "making:SetsVariable": ["environment-variables-changed"],
    "making:ChangesFolder": ["working-directory-changed"],
    "making:Prints": ["prints-to-stdout"],
    "making:GlobalRandom": ["global-random-state"],
    "making:SeedsNumpy": ["global-random-state"],
    "making:RandomInReward": ["global-random-state"],
    "making:NeedsItsParent": ["not-remakeable*"],
    "tasks:OnlyTests": ["no-train-tasks"],
    "tasks:OnlyTraining": ["no-held-out-tasks"],
    "tasks:Overlap": ["splits-overlap"],
    "tasks:ImpureItems": ["item-not-pure"],
    "tasks:NewIds": ["ids-unstable"],
    "tasks:SameIds": ["id-not-unique"],
    "tasks:ForgetsSplit": ["wrong-split"],
    "tasks:ById": ["by-id"],
    "tasks:TooHard": ["difficulty-range"],
    "tasks:SetsInTasks": ["task-not-json"],
    "tasks:TooFew": ["size-wrong"],
    "episodes:EndsWithSystem": ["nothing-to-answer"],
    "episodes:LongWords": ["observation-space"],
    "episodes:HalfCharacters": ["half-characters"],
    "episodes:IntegerReward": ["five-tuple"],
    "episodes:IgnoresOptions": ["reset-options"],
    "episodes:ParserRaises": ["parser-raises"],
    "episodes:StepRaises": ["step-raises"],
    "episodes:Silent": ["silent-turn"],
    "episodes:NeverEnds": ["episode-never-ends"],
    "episodes:TakesLongAnswers": ["over-long"],
    "episodes:Quadratic": ["slow-on-long"],
    "episodes:Backtracks": ["slow-on-long"],
    "episodes:SetInInfo": ["info-not-json"],
    "episodes:NotANumberInInfo": ["info-not-json"],
    "episodes:ScoresEarly": ["score-misplaced"],
    "episodes:PaysTwice": ["reward-sum"],
    "episodes:ObjectAnswers": ["not-storable"],
    "episodes:NoPicture": ["rendering"],
    "rewards:RewardRaises": ["reward-raises"],
    "rewards:TextReward": ["reward-not-a-number"],
    "rewards:ForgetsReturn": ["reward-always-none"],
    "rewards:Infinite": ["reward-not-finite", "reward-unbounded"],
    "rewards:OutOfBounds": ["reward-out-of-bounds"],
    "rewards:Unbounded": ["reward-unbounded"],
    "rewards:Timeout": ["reward-timeout"],
    "rewards:Moody": ["reward-not-deterministic"],
    "rewards:Clock": ["clock-in-judging"],
    "rewards:ChangesEpisode": ["reward-changes-episode"],
    "rewards:OutOfReach": ["success-out-of-reach"],
    "rewards:NoWeight": ["reward-constant"],
    "rewards:WrongSolutions": ["solution-fails"],
    "rewards:PaysForTrying": ["solution-not-best"],
    "rewards:TwoQuestions": ["solution-shape"],
    "rewards:AnotherEveryTime": ["solution-not-repeatable"],
    "rewards:NothingSucceeds": ["empty-answer-succeeds"],
    "rewards:NothingPays": ["empty-answer-paid"],
    "isolation:Entropy": ["not-deterministic"],
    "isolation:CountsInSelf": ["leaks-across-reset"],
    "isolation:RemembersInModule": ["leaks-across-reset"],
    "isolation:SharedAnswer": ["not-isolated"],
    "isolation:Scratch": ["not-thread-safe"],
    "isolation:CannotBeCopied": ["not-copyable"],
    "isolation:HoldsLock": ["not-copyable"],
    "isolation:SetOrder": ["other-process-differs*"],
    "isolation:Hashes": ["other-process-differs*"],
    "isolation:OpensFiles": ["leaks-resources"],
    "isolation:StartsThreads": ["leaks-resources"],
    "isolation:Grows": ["leaks-memory"],
    "source:Evaluates": ["runs-untrusted-text"],
    "source:UnsafeYaml": ["runs-untrusted-text"],
    "source:Pickles": ["runs-untrusted-text"],
    "source:Swallows": ["swallowed-exception"],
    "source:Asserts": ["assert-on-completion"],
    "source:Shell": ["shell"],
    "source:DownloadsSometimes": ["network-in-source"],
    "source:SharesList": ["mutable-class-attribute"],
}
# Seen by other means than an environment in a file, each in a test of its own below; or behind another rule.
ELSEWHERE = {"hangs", "not-picklable", "plugin-broken", "heavy-plugin-import", "slow-constructor"}
BEHIND = {"raises", "gymnasium", "global-random-call", "set-order", "hash-of-text"}


def ids(report: Report) -> list[str]:
    return list(dict.fromkeys(each.check for each in report.findings))


def of_file(fault: str, **more: Any) -> Report:
    module, _, name = fault.partition(":")
    return examine(f"{FAULTS / module}.py:{name}", **more)


def test_the_good_environment_has_nothing_to_complain_of() -> None:
    report = of_file("base:Good")
    assert report.findings == () and report.consequences == () and report.ok
    assert "processes" in report.examined and report.left_out == ()


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found_by_its_rule_and_no_other_complains(fault: str) -> None:
    expected = PLANTED[fault]
    processes = any(each.endswith("*") for each in expected)
    report = of_file(fault, other_processes=processes, seconds=20 if "slow" not in expected[0] else 8)
    assert sorted(ids(report)) == sorted(each.rstrip("*") for each in expected), layout(report)
    severity = RULES[expected[0].rstrip("*")].severity
    assert any(each.severity == "error" for each in report.findings) or severity == "warning"
    told = report.findings[0]
    assert told.what and told.where and told.why and told.cure


def test_every_fault_is_planted_and_every_rule_has_one() -> None:
    """A rule without a fault that it finds may as well not be there."""
    classes = {
        f"{file.stem}:{node.name}"
        for file in FAULTS.glob("*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.ClassDef)
        and {ast.unparse(base) for base in node.bases} & {"base.Good", "Rewarded"}
    }
    assert classes - {"rewards:Rewarded", "making:LambdaReward", "episodes:Waits"} == set(PLANTED)
    found = {each.rstrip("*") for expected in PLANTED.values() for each in expected}
    assert found | ELSEWHERE | BEHIND == set(RULES)
    assert len(found) >= 20


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ("making:GlobalRandom", "global-random-call"),
        ("isolation:SetOrder", "set-order"),
        ("isolation:Hashes", "hash-of-text"),
    ],
)
def test_what_a_habit_explains_is_told_with_its_line(fault: str, rule: str) -> None:
    """Where the breach shows itself, the habit is its cause and not a second finding; where it does not, it is told."""
    report = of_file(fault, other_processes=True, seconds=20)
    (habit,) = [each for each in report.consequences if each.check == rule]
    file, _, line = habit.where.rpartition(":")
    assert file.endswith(".py") and int(line) > 1


def test_where_is_exact() -> None:
    assert of_file("making:RandomInReward").findings[0].where.startswith("reward 'lucky', task 'train-")
    assert of_file("making:GlobalRandom").findings[0].where.startswith("respond(), task")
    assert of_file("making:SetsVariable").findings[0].where.startswith("begin(), task")
    kept = of_file("isolation:RemembersInModule", other_processes=False).findings[0]
    assert kept.where == "kept in isolation.HISTORY"
    (line,) = [each.where for each in of_file("source:Evaluates").findings]
    assert "eval(text)" in (FAULTS / "source.py").read_text().splitlines()[int(line.rpartition(":")[2]) - 1]


def test_one_breach_does_not_hide_another() -> None:
    sys.path.append(str(FAULTS))
    try:
        from rftgym.files import module_from

        episodes, rewards = (module_from(FAULTS / f"{name}.py") for name in ("episodes", "rewards"))
        both = type("Both", (episodes.SetInInfo, rewards.WrongSolutions), {})
        with pytest.raises(
            ContractError, match=r"(?s)2 errors.*solution-fails.*info-not-json|2 errors.*info-not-json"
        ):
            check_env(both())
    finally:
        sys.path.remove(str(FAULTS))


def test_the_process_is_as_it_was() -> None:
    before = random.getstate(), dict(os.environ), Path.cwd()
    for fault in ("making:GlobalRandom", "making:SetsVariable", "making:ChangesFolder"):
        of_file(fault, other_processes=False, seconds=5)
    assert (random.getstate(), dict(os.environ), Path.cwd()) == before


def test_a_lambda_as_reward_is_told_where_the_environment_is_an_object() -> None:
    from rftgym.files import module_from

    env = module_from(FAULTS / "making.py").LambdaReward()
    report = examine(env)
    assert ids(report) == ["not-picklable"] and report.ok
    with pytest.warns(ContractWarning, match="not-picklable.*reward 'extra'"):
        assert check_env(env).ok


def test_what_waits_for_ever_is_interrupted_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rftgym.conformance.examination.GRACE_SECONDS", 0.5)
    report = of_file("episodes:Waits", seconds=3, other_processes=False)
    assert ids(report) == ["hangs"] and "episodes.py:" in report.findings[0].where
    assert any("it was interrupted" in each for each in report.left_out)


def test_what_calls_exit_is_told_and_what_it_kept_from_being_examined_stands_on_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "leaves.py").write_text(
        f"import sys\nsys.path.append({str(FAULTS)!r})\nfrom base import Good\n\nclass Leaves(Good):\n"
        "    def begin(self, task, rng): raise SystemExit(3)\n"
    )
    assert main(["check", f"{tmp_path / 'leaves.py'}:Leaves"]) == 1
    said = capfd.readouterr()
    assert "raises SystemExit: 3" in said.out and "leaves.py:6" in said.out and said.err == ""
    assert len([line for line in said.out.splitlines() if "SystemExit" in line and "rest of" in line]) == 1


def test_gymnasium_s_own_warnings_are_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", f"{FAULTS / 'rewards.py'}:RewardRaises"]) == 1
    assert capfd.readouterr().err == ""


def test_what_did_not_fit_into_the_time_is_said() -> None:
    report = of_file("base:Good", seconds=0.01, other_processes=False)
    assert report.ok and any("for want of time" in each for each in report.left_out)


# ---- plugins and processes


PLUGIN = """
import os
from rftgym import EnvSpec, RewardSpec, hookimpl
{extra}

@hookimpl
def rftgym_environments():
    return [EnvSpec(id="good-one", entry_point="acme_things.env:Good")]

@hookimpl
def rftgym_rewards():
    return [RewardSpec(id="calm-one", entry_point="acme_things.env:tidy")]
"""
PYPROJECT = """
[project]
name = "acme-things"
version = "1"

[project.entry-points.rftgym]
things = "acme_things"
"""


def plugin_folder(folder: Path, extra: str = "", pyproject: str = PYPROJECT) -> Path:
    package = folder / "acme_things"
    package.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(pyproject)
    (package / "__init__.py").write_text(PLUGIN.format(extra=extra))
    (package / "env.py").write_text((FAULTS / "base.py").read_text())
    return folder


def rftgym_check(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rftgym", "check", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


def test_a_folder_is_examined_without_being_installed(tmp_path: Path) -> None:
    done = rftgym_check(str(plugin_folder(tmp_path / "things")), "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["ok"], done.stdout + done.stderr
    assert [each["subject"] for each in told["reports"]] == ["good-one", "calm-one"]
    assert not any(each["findings"] for each in told["reports"])
    assert all("processes" in each["examined"] for each in told["reports"])


@pytest.mark.parametrize(
    ("extra", "rule", "code"),
    [
        ("import numpy", "heavy-plugin-import", 0),
        ("from acme_things.env import Good", "heavy-plugin-import", 0),
        ("import no_such_module_of_acme", "plugin-broken", 1),
        ("@hookimpl\ndef rftgym_enviroments():\n    return []", "plugin-broken", 1),
    ],
)
def test_faults_of_a_plugin_s_module(tmp_path: Path, extra: str, rule: str, code: int) -> None:
    done = rftgym_check("things", "--json", cwd=plugin_folder(tmp_path / "things", extra).parent)
    told = json.loads(done.stdout)
    assert {each["check"] for report in told["reports"] for each in report["findings"]} == {rule}
    assert done.returncode == code


@pytest.mark.parametrize(
    ("pyproject", "words"),
    [
        ("[project]\nname='x'", "it needs a table [project.entry-points.rftgym]"),
        ("[project", "cannot read"),
        (PYPROJECT.replace('things = "acme_things"', 'things = "acme_nothing"'), "plugin-broken"),
    ],
)
def test_a_folder_that_is_no_plugin_is_told(tmp_path: Path, pyproject: str, words: str) -> None:
    done = rftgym_check(str(plugin_folder(tmp_path / "things", pyproject=pyproject)))
    assert words in " ".join((done.stdout + done.stderr).split()) and "Traceback" not in done.stderr
    assert done.returncode == (1 if words == "plugin-broken" else 2)


def test_specs_of_this_process_go_to_the_others() -> None:
    """Not installed, registered by hand: the other process is told."""
    plugins = Plugins()
    plugins.register(EnvSpec(id="by-hand", entry_point="rftgym_wordle.env:WordleEnv"))
    assert examine("by-hand", plugins=plugins, seconds=20).findings == ()


def test_a_spec_whose_module_is_nowhere_else_cannot_be_made_again() -> None:
    import types

    module = types.ModuleType("only_here")
    module.Env = rftgym.files.module_from(FAULTS / "base.py").Good  # type: ignore[attr-defined]
    sys.modules["only_here"] = module
    try:
        plugins = Plugins()
        plugins.register(EnvSpec(id="only-here", entry_point="only_here:Env"))
        assert ids(examine("only-here", plugins=plugins, seconds=20)) == ["not-remakeable"]
    finally:
        del sys.modules["only_here"]


# ---- rewards


@pytest.mark.parametrize("id", ["brevity", "no-repetition", "well-formed", "wordle-information"])
def test_first_party_rewards(id: str) -> None:
    assert examine_reward(id).findings == ()


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("strict", "reward-raises"),
        ("verdict", "reward-not-a-number"),
        ("density", "reward-not-finite"),
        ("brevity", "reward-out-of-bounds"),
        ("moody", "reward-not-deterministic"),
        ("clock", "clock-in-judging"),
        ("cleaner", "reward-changes-episode"),
    ],
)
def test_faults_of_a_reward_alone(name: str, rule: str) -> None:
    assert rule in ids(examine_reward(f"{FAULTS / 'rewards.py'}:{name}", seconds=15))


# ---- first-party environments


def test_a_mix_and_a_family_member_s_id_are_taken() -> None:
    assert examine("wordle,math", other_processes=False).ok


@pytest.mark.slow
@pytest.mark.thorough  # test_environments.py asks the same of each, with its own completions
@pytest.mark.parametrize("id", installed().environments())
def test_first_party_environments_have_no_findings_in_under_a_minute(id: str) -> None:
    report = examine(id)
    assert report.findings == (), layout(report)
    assert report.seconds < 60


# ---- the command


def test_the_command_says_what_where_why_and_how_to_mend(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check", f"{FAULTS / 'rewards.py'}:OutOfReach"])
    out = " ".join(capsys.readouterr().out.split())
    assert code == 1
    rule = RULES["success-out-of-reach"]
    assert "error success-out-of-reach" in out and "reward 'half'" in out
    assert rule.why in out and rule.cure in out and "1 error, no warnings" in out


def test_warnings_fail_only_where_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    target = f"{FAULTS / 'rewards.py'}:Unbounded"
    assert main(["check", target]) == 0
    assert main(["check", target, "--strict", "--json"]) == 1
    told = json.loads(capsys.readouterr().out.partition("\n{")[2].join(["{", ""]))
    assert told["ok"] is False and told["reports"][0]["ok"] is True


def test_the_user_s_own_rewards_are_examined_with_the_environment(capsys: pytest.CaptureFixture[str]) -> None:
    """Brevity pays for nothing; that it does is a fault of this mix of rewards."""
    arguments = ["check", f"{FAULTS / 'base.py'}:Good", "--reward", "brevity=2", "--json", "--seconds", "10"]
    assert main(arguments) == 1
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    assert {each["check"] for each in report["findings"]} == {"empty-answer-paid"}
    assert "processes" in report["examined"]


def test_arguments_reach_the_constructor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", f"{FAULTS / 'base.py'}:Good", "--set", "env.kwargs.max_turns=1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"]
    assert main(["check", f"{FAULTS / 'base.py'}:Good", "--set", "env.kwargs.turns=1"]) == 2
    assert "cannot be made with turns" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["wordel"], "did you mean 'wordle'"),
        (["nobody"], "unknown environment or reward 'nobody'; known: brevity, chess"),
        (["grpo"], "'grpo' is a trainer; rftgym check examines environments and rewards"),
        (["./nothing.py"], "no file at"),
        (["./nothing"], "neither a Python file nor a folder"),
        (["wordle", "--on", "math"], "--on is for a reward"),
        (["brevity", "--weight", "a=1"], "don't go with a reward"),
        (["wordle", "--set", "evn.max_turns=2"], "unknown setting 'evn'"),
        (["wordle", "--set", "env.turns=2"], "turns"),
        (["wordle", "--weight", "wins=2"], "no reward component 'wins'"),
        (["brevity", "--on", "wordel"], "did you mean 'wordle'"),
    ],
)
def test_misuse_is_said_in_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *arguments]) == 2
    said = capsys.readouterr()
    assert words in said.err and said.out == "" and len(said.err.splitlines()) == 1


def test_a_file_without_a_name_stands_for_all_its_environments_or_else_rewards(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "two.py").write_text((FAULTS / "base.py").read_text() + "\n\nclass Twin(Good):\n    pass\n")
    assert main(["check", str(tmp_path / "two.py"), "--json", "--seconds", "5"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["subject"].rpartition(":")[2] for each in told["reports"]] == ["Good", "Twin"]
    (tmp_path / "calm.py").write_text("import rftgym\n\n@rftgym.reward()\ndef calm(turn):\n    return 0.5\n")
    assert main(["check", str(tmp_path / "calm.py"), "--json", "--seconds", "5"]) == 0
    assert json.loads(capsys.readouterr().out)["reports"][0]["subject"].endswith("calm.py:calm")
    (tmp_path / "empty.py").write_text("x = 1\n")
    assert main(["check", str(tmp_path / "empty.py")]) == 2
    assert "defines no environment" in capsys.readouterr().err


# ---- findings and rules


def test_the_page_lists_every_rule_with_its_meaning() -> None:
    page = DOCS.read_text(encoding="utf-8")
    for rule in RULES.values():
        row = next((line for line in page.splitlines() if line.startswith(f"| `{rule.id}`")), "")
        assert rule.about in row, rule.id
        assert f"| {rule.severity} |" in row, rule.id


def test_explanations_never_go_in_a_circle() -> None:
    """Or two findings would hide each other, and the report would say that all is well."""

    def below(id: str, above: tuple[str, ...]) -> None:
        assert id not in above, (*above, id)
        for each in RULES[id].explains:
            below(each, (*above, id))

    for id in RULES:
        below(id, ())


def all_findings() -> st.SearchStrategy[list[Finding]]:
    one = st.builds(
        finding,
        st.sampled_from(sorted(RULES)),
        st.text(max_size=5),
        st.text(max_size=5),
        severity=st.sampled_from([None, "error", "warning"]),
    )
    return st.lists(one, max_size=12)


@given(all_findings())
def test_a_breach_never_disappears(found: list[Finding]) -> None:
    """Whatever was found: with an error among it the report is not ok, and nothing is in neither list."""
    report = Notes(found=found).report("x", 0.0)
    assert report.ok == (not any(each.severity == "error" for each in found))
    assert {each.check for each in (*report.findings, *report.consequences)} == {each.check for each in found}
    assert sum(each.times for each in (*report.findings, *report.consequences)) == len(found)
    assert [each.severity for each in report.findings] == sorted(each.severity for each in report.findings)
    assert json.loads(json.dumps(report.to_json()))["ok"] is report.ok


@given(st.text())
def test_what_is_printed_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    assert clean(text).isprintable()
    report = Notes(found=[finding("raises", text, text)]).report("x", 0.0)
    assert all(line.isprintable() for line in layout(report).split("\n"))


def test_unknown_things_are_usage_errors() -> None:
    with pytest.raises(UnknownIdError, match="did you mean 'wordle'"):
        examine("wordel")
    with pytest.raises(UsageError, match="no file at"):
        examine("./nothing.py:Env")
    with pytest.raises(UnknownIdError):
        examine_reward("brevty")
