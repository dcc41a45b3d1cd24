"""Discovery: broken plugins hurt nobody, two owners of an id are both named, what is misspelt is not passed over."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import rftgym
from rftgym import EnvSpec, PolicySpec, RewardSpec
from rftgym.config import RewardSettings
from rftgym.errors import DuplicateIdError, PluginError, UnknownIdError, UsageError
from rftgym.plugins import HOOKS, REGISTRATION_HOOKS, Plugins, discover
from rftgym.registry import changed_rubric, installed, make_reward, policy_spec, register
from rftgym.specs import KINDS, Spec
from rftgym.tasks import ListTaskset

Install = Callable[..., None]

GOOD = """
from rftgym import EnvSpec, hookimpl

@hookimpl
def rftgym_environments():
    return [EnvSpec(id="{id}", entry_point="{module}:Env", summary="Made for a test")]
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Really install a distribution of one plugin, the way a wheel is unpacked, on a path that goes away."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(
        distribution: str, source: str, *, name: str = "", version: str = "1.2", requires: str = ""
    ) -> None:
        module = distribution.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(source.replace("{module}", module), encoding="utf-8")
        metadata = tmp_path / f"{module}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n{requires}\nAbout it: rftgym>=99\n"
        )
        (metadata / "entry_points.txt").write_text(f"[rftgym]\n{name or distribution} = {module}\n")

    before = set(sys.modules)
    yield install
    for module in set(sys.modules) - before:
        if getattr(sys.modules[module], "__file__", None) and str(tmp_path) in str(
            sys.modules[module].__file__
        ):
            del sys.modules[module]


def listed(plugins: Plugins) -> dict[str, str | None]:
    return {plugin.distribution: plugin.error for plugin in plugins.plugins}


def test_a_plugin_is_found_with_its_distribution_and_version(install: Install) -> None:
    install("acme-sudoku", GOOD.replace("{id}", "sudoku"), version="3.1rc1")
    found = discover().find("env", "sudoku")
    assert (found.plugin.distribution, found.plugin.version, found.plugin.error) == (
        "acme-sudoku",
        "3.1rc1",
        None,
    )
    assert found.spec == EnvSpec("sudoku", "acme_sudoku:Env", "Made for a test")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("def broken(:", "SyntaxError: "),
        ("raise ValueError('two\\nlines')", "ValueError: two lines"),
        ("import sys; sys.exit('bye')", "SystemExit: bye"),
        ("class Odd(BaseException): ...\nraise Odd('end')", "Odd: end"),
        ("x = 1", "it implements no hook; mark functions with @rftgym.hookimpl"),
        (
            "from rftgym import hookimpl\n@hookimpl\ndef rftgym_envs(): return []",
            "no such hook 'rftgym_envs'; did you mean rftgym_environments?",
        ),
        (
            "from rftgym import hookimpl\n@hookimpl\ndef rftgym_enviroments(): return []",
            "no such hook 'rftgym_enviroments'; did you mean rftgym_environments",
        ),
        ("def rftgym_environments(): return []", "rftgym_environments() is not marked as a hook"),
        (
            "from rftgym import hookimpl\n@hookimpl\ndef rftgym_environments(): return 3",
            "must return a list of EnvSpec, not 3",
        ),
        (
            "from rftgym import hookimpl\n@hookimpl\ndef rftgym_environments(): return 1 / 0",
            "ZeroDivisionError",
        ),
        ("from rftgym import hookimpl\n@hookimpl\ndef on_step_end(run, stepp): ...", "stepp"),
        (GOOD.replace("{id}", "Bad_Id"), "id 'Bad_Id' is not in kebab case"),
        (GOOD.replace("{id}", "bad").replace(":Env", ".Env"), "does not read 'module:name'"),
    ],
)
def test_a_broken_plugin_is_listed_with_its_reason_and_the_rest_work(
    install: Install, source: str, reason: str
) -> None:
    install("acme-broken", source)
    install("zeta-good", GOOD.replace("{id}", "good"))
    plugins = discover()
    error = listed(plugins)["acme-broken"]
    assert error is not None and reason in error and "\n" not in error
    assert listed(plugins)["zeta-good"] is None and plugins.find("env", "good")
    assert not [r for r in plugins.registrations() if r.plugin.distribution == "acme-broken"]


def test_nothing_of_a_plugin_with_one_bad_hook_is_called(install: Install) -> None:
    install(
        "acme-half",
        "from rftgym import hookimpl\n"
        "@hookimpl\ndef on_evaluate(run): raise AssertionError('called')\n"
        "@hookimpl\ndef on_train_end(no_such_argument): ...\n",
    )
    plugins = discover()
    assert listed(plugins)["acme-half"] is not None
    plugins.hooks.on_evaluate(run=None, step=1, evaluation={})


def test_two_owners_of_an_id_are_both_named_and_only_that_id_suffers(install: Install) -> None:
    install("acme-one", GOOD.replace("{id}", "same"), version="1.0")
    install("beta-two", GOOD.replace("{id}", "same"), version="2.0")
    plugins = discover()
    with pytest.raises(
        DuplicateIdError, match=r"acme-one 1\.0 .* and beta-two 2\.0 .*; uninstall one of them"
    ):
        plugins.find("env", "same")
    assert [r.plugin.distribution for r in plugins.registrations("env") if r.spec.id == "same"] == [
        "acme-one",
        "beta-two",
    ]
    assert plugins.find("env", "wordle")


def test_two_plugins_of_one_name_are_both_loaded(install: Install) -> None:
    install("acme-one", GOOD.replace("{id}", "one"), name="env")
    install("beta-two", GOOD.replace("{id}", "two"), name="env")
    plugins = discover()
    assert plugins.find("env", "one") and plugins.find("env", "two")


def test_the_same_entry_twice_counts_once() -> None:
    (entry,) = importlib.metadata.entry_points(group="rftgym", name="wordle")
    plugins = discover([entry, entry])
    assert plugins.ids("env") == ["wordle"] and len(plugins.plugins) == 1


def test_an_unknown_id_answers_with_what_was_meant() -> None:
    with pytest.raises(UnknownIdError, match=r"unknown env 'wordel'; did you mean 'wordle'\?"):
        rftgym.make("wordel")
    with pytest.raises(UnknownIdError, match="unknown reward 'zzz'; known: brevity, "):
        make_reward("zzz", 1.0)


def test_run_time_hooks_reach_every_plugin(install: Install) -> None:
    source = (
        "from rftgym import hookimpl\nseen = []\n"
        "@hookimpl\ndef on_step_end(step, metrics): seen.append((step, metrics))"
    )
    install("acme-hooked", source)
    plugins = discover()
    plugins.hooks.on_step_end(run=None, step=4, metrics={"reward": 1.0})
    assert sys.modules["acme_hooked"].seen == [(4, {"reward": 1.0})]


def test_every_hook_is_documented_and_every_registration_hook_is_known() -> None:
    from rftgym import hookspecs

    registering = {name for name in HOOKS if name.startswith("rftgym_")} - {"rftgym_checks"}
    assert set(REGISTRATION_HOOKS) == registering
    assert all((getattr(hookspecs, name).__doc__ or "").endswith(".") for name in HOOKS)


def test_a_module_can_be_registered_by_hand_but_not_twice() -> None:
    import rftgym_rewards

    plugins = Plugins()
    plugins.add(rftgym_rewards, name="rewards")
    assert plugins.ids("reward") == ["brevity", "no-repetition", "well-formed"]
    with pytest.raises(PluginError, match="registered already"):
        plugins.add(rftgym_rewards, name="rewards")
    assert plugins.find("reward", "brevity")


# ---- from ids to objects


def test_make_passes_arguments_and_refuses_others() -> None:
    env = rftgym.make("wordle", max_turns=2)
    assert env.id == "wordle" and env.max_turns == 2
    with pytest.raises(
        UsageError, match=r"'wordle' cannot be made with max_turn: .*unexpected keyword argument 'max_turn'"
    ):
        rftgym.make("wordle", max_turn=2)
    with pytest.raises(
        UsageError, match=r"'math' cannot be made with kind: .*unexpected keyword argument 'kind'"
    ):
        rftgym.make("math", kind=["words"])
    with pytest.raises(UsageError, match="max_turns=0"):
        rftgym.make("wordle", max_turns=0)


def test_an_error_inside_a_constructor_is_not_taken_for_bad_usage(install: Install) -> None:
    source = (
        "\nfrom rftgym_wordle.env import WordleEnv\n"
        "class Env(WordleEnv):\n    def make_rubric(self): return [] + 1\n"
    )
    install("acme-env", GOOD.replace("{id}", "bad-env") + source)
    with pytest.raises(TypeError, match="can only concatenate list"):
        rftgym.make("bad-env", plugins=discover())


def test_what_is_no_environment_or_cannot_be_imported_is_said(install: Install) -> None:
    install("acme-one", GOOD.replace("{id}", "no-env") + "\nEnv = dict\n")
    install("beta-two", GOOD.replace("{id}", "gone"))
    plugins = discover()
    with pytest.raises(PluginError, match=r"'acme_one:Env' is no class that derives from rftgym\.TextEnv"):
        rftgym.make("no-env", plugins=plugins)
    with pytest.raises(PluginError, match="env 'gone': cannot load 'beta_two:Env'"):
        rftgym.make("gone", plugins=plugins)


def test_any_installed_reward_can_be_added_and_any_weight_changed() -> None:
    env = rftgym.make("wordle")
    settings = RewardSettings(add={"brevity": 0.1}, weights={"win": 2.0})
    rubric = changed_rubric(env.rubric, settings, plugins=installed())
    assert rubric.weights == {**env.rubric.weights, "win": 2.0, "brevity": 0.1}


def test_a_reward_spec_that_makes_no_component_is_said(install: Install) -> None:
    source = (
        "from rftgym import RewardSpec, hookimpl\n"
        "@hookimpl\ndef rftgym_rewards(): return [RewardSpec('odd', '{module}:odd')]\n"
        "def odd(): return 3\n"
    )
    install("acme-odd", source)
    plugins = discover()
    assert isinstance(plugins.find("reward", "odd").spec, RewardSpec)
    with pytest.raises(PluginError, match="made int, not a Component"):
        make_reward("odd", 1.0, plugins=plugins)


# ---- imports stay light


@pytest.mark.parametrize("program", ["import rftgym", "import rftgym.registry; rftgym.registry.installed()"])
def test_discovery_imports_nothing_heavy(program: str) -> None:
    heavy = [
        "torch",
        "transformers",
        "trl",
        "datasets",
        "triton",
        "numpy",
        "gymnasium",
        "pydantic",
        "asyncio",
    ]
    code = f"{program}\nimport json, sys; print(json.dumps([m for m in {heavy} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_a_plugin_may_define_its_environment_in_the_module_that_registers_it(
    install: Install, tmp_path: Path
) -> None:
    """In a process in which ``rftgym.env`` is what is imported first, too."""
    install(
        "rftgym-onefile",
        "import rftgym\n\nclass Env(rftgym.SingleTurnEnv):\n    pass\n\n"
        "@rftgym.hookimpl\ndef rftgym_environments():\n    return [rftgym.EnvSpec('onefile', '{module}:Env')]\n",
    )
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import rftgym.env; from rftgym.registry import installed; "
        "print({p.name: p.error for p in installed().plugins}.get('rftgym-onefile', 'missing'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"


def test_doctor_asks_plugins_and_survives_one_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    from rftgym.cli.checks import _by_plugins
    from rftgym.types import Check

    class Well:
        @staticmethod
        @rftgym.hookimpl
        def rftgym_checks() -> list[Check]:
            return [Check("programs", "abacus", False, "not found", "apt-get install abacus")]

    class Ill:
        @staticmethod
        @rftgym.hookimpl
        def rftgym_checks() -> list[Check]:
            raise ValueError("no such luck")

    plugins = discover([])
    plugins.add(Well(), name="well")
    plugins.add(Ill(), name="ill")
    monkeypatch.setattr("rftgym.registry.installed", lambda: plugins)
    by_name = {check.name: check for check in _by_plugins()}
    assert by_name["abacus"].cure == "apt-get install abacus"
    (failed,) = (check for name, check in by_name.items() if name != "abacus")
    assert not failed.ok
    assert "no such luck" in failed.detail


# ---- versions


@pytest.mark.parametrize(
    "requires",
    [
        "Requires-Dist: rftgym>=7.0",
        "Requires-Dist: numpy\nRequires-Dist: rftgym (>=7.0,<8)",
        "Requires-Dist: RFTgym[sql]>=7 ; python_version >= '3.8'",
    ],
)
@pytest.mark.parametrize("reader", ["own", "importlib"])
def test_a_plugin_that_needs_a_newer_rftgym_is_not_imported_and_says_both_versions(
    install: Install, requires: str, reader: str
) -> None:
    install("acme-future", "raise AssertionError('imported')", requires=requires)
    entries = None
    if reader == "importlib":
        entries = importlib.metadata.entry_points(group="rftgym", name="acme-future")
    error = listed(discover(entries))["acme-future"]
    assert error is not None
    assert "needs rftgym " in error and ">=7" in error and f"this is rftgym {rftgym.__version__}" in error


@pytest.mark.parametrize(
    "requires",
    [
        "Requires-Dist: rftgym>=0.1",
        "Requires-Dist: rftgym",
        "Requires-Dist: rftgym-acme>=9",
        "Requires-Dist: rftgym>=9 ; extra == 'next'",
        "Requires-Dist: rftgym>=9 ; python_version < '3'",
        "",
    ],
)
def test_a_plugin_that_this_rftgym_suits_is_loaded(install: Install, requires: str) -> None:
    install("acme-now", GOOD.replace("{id}", "now"), requires=requires)
    assert listed(discover())["acme-now"] is None


# ---- families


class Family(rftgym.SingleTurnEnv):
    def __init__(self, name: str, **settings: object) -> None:
        self.name = name
        super().__init__()

    @classmethod
    def names(cls) -> list[str]:
        return ["one", "two"]

    def make_tasks(self) -> ListTaskset:
        return ListTaskset([rftgym.Task("only", {"name": self.name})])

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([rftgym.reward("never")(nothing)], success="never")

    def prompt(self, task: rftgym.Task) -> str:
        return self.name


def nothing(completion: str) -> float:
    return 0.0


def with_family() -> Plugins:
    plugins = Plugins()
    plugins.register(EnvSpec("family", f"{__name__}:Family", scheme="family"), name="families")
    return plugins


def test_a_member_of_a_family_is_made_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Family.__module__])
    plugins = with_family()
    env = rftgym.make("family:two", plugins=plugins)
    assert (env.id, env.reset(seed=0)[0]) == ("family:two", "two")
    mixed = rftgym.make("family:one,family:two:3", plugins=plugins)
    assert {task.id for task in mixed.tasks.sample("train", 2, 0)} == {"family:one/only", "family:two/only"}
    with pytest.raises(UsageError, match="say family:one or family:two"):
        rftgym.make("family", plugins=plugins)
    with pytest.raises(UnknownIdError, match="unknown env 'strangers:one'"):
        rftgym.make("strangers:one", plugins=plugins)
    with pytest.raises(
        UsageError, match="'family:two' has its name already: leave the argument name='one' out"
    ):
        rftgym.make("family:two", name="one", plugins=plugins)


def test_a_family_goes_by_its_scheme_whatever_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Family.__module__])
    plugins = Plugins()
    spec = EnvSpec("many", f"{__name__}:Family", kwargs={"name": "not this", "depth": 3}, scheme="family")
    plugins.register(spec)
    assert plugins.find("env", "family:two").spec.kwargs == {"name": "two", "depth": 3}
    with pytest.raises(
        UsageError, match=r"'many' is a family .* say family:one or family:two \(`rftgym info many`"
    ):
        rftgym.make("many", plugins=plugins)


def test_two_families_of_one_scheme_are_both_named() -> None:
    plugins = Plugins()
    for name in ("one", "two"):
        plugins.register(
            EnvSpec(f"games-{name}", "nowhere:X", scheme="board"), name=name, distribution=f"acme-{name}"
        )
        policy = PolicySpec(f"serve-{name}", "nowhere:X", scheme="serve")
        plugins.register(policy, name=f"{name}-models", distribution=f"acme-{name}")
    with pytest.raises(
        DuplicateIdError, match=r"env 'board:chess' is registered by acme-one .* and acme-two "
    ):
        plugins.find("env", "board:chess")
    with pytest.raises(DuplicateIdError, match=r"policy 'serve:7b' is registered by acme-one "):
        policy_spec("serve:7b", plugins)


@pytest.mark.parametrize("scheme", ["Board", "a:b", "", "a,b"])
def test_a_scheme_is_in_kebab_case(scheme: str) -> None:
    with pytest.raises(PluginError, match=r"scheme .* of 'games' is not in kebab case"):
        Plugins().register(EnvSpec("games", "nowhere:X", scheme=scheme))


def test_an_environment_that_lacks_a_method_is_said(install: Install) -> None:
    install(
        "acme-one", GOOD.replace("{id}", "half") + "\nimport rftgym\nclass Env(rftgym.SingleTurnEnv): ...\n"
    )
    with pytest.raises(PluginError, match="'acme_one:Env' lacks make_rubric, make_tasks, prompt"):
        rftgym.make("half", plugins=discover())


# ---- other processes


def test_what_is_registered_here_is_registered_there_too(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Specs, and a plugin that is a module: both go as JSON to a process that has never heard of them."""
    (tmp_path / "elsewhere.py").write_text(GOOD.replace("{id}", "by-module").replace("{module}", "elsewhere"))
    importlib.invalidate_caches()
    plugins = discover()
    plugins.register(EnvSpec("by-spec", "elsewhere:Env", "s", {"a": [1, 2]}, train_defaults={"b": 1}))
    plugins.add(importlib.import_module("elsewhere"), name="elsewhere")
    program = (
        "import json, sys; from rftgym.plugins import discover; "
        "plugins = discover().adopt(json.load(sys.stdin)); plugins.adopt(plugins.portable()); "
        "print(json.dumps([plugins.find('env', id).spec.to_json() for id in ('by-spec', 'by-module')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(plugins.portable()),
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [
        plugins.find("env", id).spec.to_json() for id in ("by-spec", "by-module")
    ]


def test_what_is_installed_need_not_travel_and_what_cannot_is_said() -> None:
    plugins = discover()
    assert plugins.portable() == []

    class Module:
        @rftgym.hookimpl
        def rftgym_environments(self) -> list[EnvSpec]:
            return []

    plugins.add(Module(), name="here")
    with pytest.raises(PluginError, match="plugin here is an object of this process only"):
        plugins.portable()


@pytest.mark.parametrize("value", [{1, 2}, {(1, 2)}, {1: 2}, object(), b"bytes", Path("x")])
def test_what_json_would_change_or_cannot_tell_is_said(value: object) -> None:
    plugins = Plugins()
    plugins.register(EnvSpec("mine", "json:Env", kwargs={"deep": [value]}))
    with pytest.raises(PluginError, match=r"'mine' holds .* which is no JSON value"):
        plugins.portable()


def test_a_module_that_an_import_hook_finds_can_travel(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with editable installs, whose modules are on no path."""

    class Finder:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> object:
            return importlib.machinery.ModuleSpec(name, None) if name == "found_by_a_hook" else None

    plugins = Plugins()
    plugins.register(EnvSpec("mine", "found_by_a_hook.env:Env"))
    with pytest.raises(PluginError, match="object of this process only"):
        plugins.portable()
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert plugins.portable()[0]["specs"][0]["entry_point"] == "found_by_a_hook.env:Env"


@pytest.mark.parametrize(
    "source", ["raise ValueError('odd')", "raise SystemExit('odd')", "import odd_nothing"]
)
def test_what_cannot_be_adopted_is_said(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "odd_plugin.py").write_text(source)
    told = {"name": "mine", "distribution": "acme", "version": "1", "module": "odd_plugin"}
    with pytest.raises(PluginError, match=r"plugin 'mine' cannot be imported in this process: .*odd"):
        Plugins().adopt([told])


def test_specs_can_be_registered_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    plugins = discover()
    monkeypatch.setattr("rftgym.registry.installed", lambda: plugins)
    one, two = EnvSpec("one", "json:One"), EnvSpec("two", "json:Two")
    register(one)
    register(one)
    register(one, two)
    assert (plugins.find("env", "one").spec, plugins.find("env", "two").spec) == (one, two)
    assert [each.name for each in plugins.plugins if each.distribution == "(local)"] == ["local", "local-2"]
    assert discover().adopt(plugins.portable()).find("env", "two").spec == two


def test_two_registries_of_one_process_do_not_take_their_specs_for_one_another_s() -> None:
    here, there = Plugins(), Plugins()
    here.register(EnvSpec("one", "json:One"))
    there.register(EnvSpec("two", "json:Two", kwargs={"a": (1, 2)}))
    told = there.portable()
    assert here.adopt(told).adopt(told).find("env", "two").spec.entry_point == "json:Two"
    assert there.adopt(told).find("env", "two").spec.kwargs == {"a": (1, 2)}
    there.register(EnvSpec("one", "json:Other"))
    with pytest.raises(DuplicateIdError):
        here.adopt(there.portable()).find("env", "one")


@pytest.mark.parametrize("kind", KINDS)
def test_a_spec_survives_being_told_as_json(kind: str) -> None:
    spec = KINDS[kind](id="x", entry_point="a.b:C", summary="s", kwargs={"n": {"m": [1, None, "é"]}})
    assert Spec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
