"""From ids to objects: environments with their rewards, policies, trainers."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from rftgym.errors import PluginError, UsageError
from rftgym.files import is_file, label
from rftgym.mixing import is_mix, label_mix, name_of, parse_mix
from rftgym.plugins import Plugins, discover
from rftgym.specs import EnvSpec, ParserSpec, PolicySpec, RewardSpec, SandboxSpec, Spec, TrainerSpec

if TYPE_CHECKING:
    from rftgym.config import EnvSettings, ModelSettings, RewardSettings, Settings
    from rftgym.env import TextEnv
    from rftgym.parser import Parser
    from rftgym.policy import Policy
    from rftgym.rubric import Component, Rubric
    from rftgym.sandbox import Sandbox
    from rftgym.trainer import Trainer
    from rftgym.types import Message


@functools.cache
def installed() -> Plugins:
    """The installed plugins, discovered once a process. Functions take ``plugins=`` to work with others."""
    plugins = discover()
    if "gymnasium" in sys.modules:
        from rftgym.gym import register

        register(plugins)
    return plugins


def make(id: str, *, plugins: Plugins | None = None, **kwargs: Any) -> TextEnv[Any]:
    """Make an environment by id: ``rftgym.make("wordle")``. ``kwargs`` go to its constructor.

    Args:
        id: of an installed environment; of a member of a family: "reasoning-gym:countdown"; a file and a class in it:
            "./my_env.py:MyEnv"; or a mix of several: "wordle:2,math:1". Then a keyword argument is the mix's own
            (``max_turns``, ``render_mode``), or a mapping for the environment of that name.

    Raises:
        UnknownIdError: no installed plugin registers it.
        UsageError: its constructor does not take these arguments.
        PluginError: what was registered is no environment.
    """
    plugins = plugins or installed()
    if is_mix(id):
        return _make_mix(id, plugins, kwargs)
    spec = plugins.spec(EnvSpec, id)
    factory = spec.load()
    from rftgym.env import (
        TextEnv,
    )  # imports Gymnasium, so not at the top; an environment has imported it already

    if not (isinstance(factory, type) and issubclass(factory, TextEnv)):
        raise PluginError(
            f"environment {id!r}: {spec.entry_point!r} is no class that derives from rftgym.TextEnv"
        )
    if lacking := sorted(factory.__abstractmethods__):
        raise PluginError(f"environment {id!r}: {spec.entry_point!r} lacks {', '.join(lacking)}")
    if spec.scheme is not None:
        _check_member(id, spec.scheme, factory, kwargs)
    arguments = {**spec.kwargs, **kwargs}
    given = ", ".join(kwargs) or "no arguments"
    try:
        inspect.signature(factory).bind(**arguments)
    except TypeError as error:
        raise UsageError(f"environment {id!r} cannot be made with {given}: {error}") from error
    try:
        env = factory(**arguments)
    except TypeError as error:  # where ``**`` hands arguments on to a base, it is the base that knows better
        if not any(f"unexpected keyword argument '{name}'" in str(error) for name in kwargs):
            raise
        raise UsageError(f"environment {id!r} cannot be made with {given}: {error}") from error
    if not hasattr(env, "rubric"):
        raise PluginError(
            f"environment {label(id)!r}: {factory.__name__}.__init__() does not call super().__init__(**kwargs)"
        )
    env.id = label(id)
    return env


def _check_member(id: str, scheme: str, family: type[TextEnv[Any]], kwargs: Mapping[str, Any]) -> None:
    """Whether an id names one of a family, and nothing else does.

    Raises:
        UsageError: it names the family, or an argument names another member.
    """
    if ":" not in id:
        names = [f"{scheme}:{name}" for name in family.names()]
        shown = f"say {' or '.join(names[:3])} (`rftgym info {id}` shows all)"
        raise UsageError(
            f"{id!r} is a family of environments: name one, {shown if names else f'as in {scheme}:NAME'}"
        )
    if "name" in kwargs:
        raise UsageError(f"{id!r} has its name already: leave the argument name={kwargs['name']!r:.60} out")


def _make_mix(id: str, plugins: Plugins, kwargs: Mapping[str, Any]) -> TextEnv[Any]:
    from rftgym.mix import MixedEnv

    ids = {name_of(part): part for part in parse_mix(id)}
    own = {name: value for name, value in kwargs.items() if name not in ids}
    if unknown := set(own) - {"max_turns", "render_mode"}:
        raise UsageError(
            f"mix {id!r} cannot be made with {', '.join(sorted(unknown))}: arguments of a part go by its name, "
            f"say {next(iter(ids))}={{...}}"
        )
    for name in ids:
        if not isinstance(kwargs.get(name, {}), Mapping):
            raise UsageError(
                f"mix {id!r}: the arguments of {name!r} must be a mapping, not {kwargs[name]!r:.40}"
            )
    mixed = MixedEnv(
        {name: make(part, plugins=plugins, **kwargs.get(name, {})) for name, part in ids.items()},
        {name_of(part): weight for part, weight in parse_mix(id).items()},
        **own,
    )
    mixed.id = label_mix(id)
    return mixed


def make_configured(
    env: EnvSettings, rewards: RewardSettings, *, plugins: Plugins | None = None
) -> TextEnv[Any]:
    """An environment with the user's tasks, turn limit and changes of reward."""
    plugins = plugins or installed()
    kwargs: dict[str, Any] = dict(env.kwargs)
    if env.tasks is not None:
        if is_mix(env.id):
            raise UsageError(
                f"env.tasks={env.tasks}: a file of tasks belongs to one environment, not to a mix"
            )
        kwargs["tasks"] = plugins.spec(EnvSpec, env.id).load().read_tasks(env.tasks)
    if env.max_turns is not None:
        kwargs["max_turns"] = env.max_turns
    made = make(env.id, plugins=plugins, **kwargs)
    if env.train_tasks is not None:
        from rftgym.tasks import FewTrainTasks

        made.tasks = FewTrainTasks(made.tasks, env.train_tasks, env.train_seed)
    if env.shots:
        for each in getattr(made, "parts", {"": made}).values():  # a mix shows each part's own
            each.shots = _shots(each, env.shots, env.train_seed)
    if env.parser is not None:
        if is_mix(env.id):
            raise UsageError(f"env.parser={env.parser}: a parser belongs to one environment, not to a mix")
        made.parser = make_parser(env.parser, plugins=plugins)
    made.rubric = changed_rubric(made.rubric, rewards, plugins=plugins)
    return made


def _shots(env: TextEnv[Any], n: int, seed: int) -> tuple[Message, ...]:
    """Solved train tasks as messages, without their system messages.

    Raises:
        UsageError: the environment solves fewer than ``n`` tasks of its train split.
    """
    conversations = list(env.solved(n, seed))
    if len(conversations) < n:
        raise UsageError(
            f"env.shots={n}: environment {env.id!r} can show {len(conversations)} solved train tasks; "
            "an environment shows them by its method demonstrate()"
        )
    return tuple(message for talk in conversations for message in talk if message.role != "system")


def changed_rubric(rubric: Rubric, settings: RewardSettings, *, plugins: Plugins) -> Rubric:
    """A rubric with installed rewards added and weights changed, as the user asked.

    Raises:
        UnknownIdError: a reward to add is not installed.
        UsageError: a weight names no component, or a reward to add is there already.
    """
    added = [make_reward(id, weight, plugins=plugins) for id, weight in settings.add.items()]
    return rubric.changed(add=added, weights=settings.weights, clip=settings.clip)


def make_reward(id: str, weight: float, *, plugins: Plugins | None = None) -> Component:
    """An installed reward component, under its id as name and with a weight; one from a file keeps its own name.

    Raises:
        UnknownIdError: no installed plugin registers it.
        PluginError: what was registered is no component. Of a file it is a UsageError.
    """
    from dataclasses import replace

    from rftgym.rubric import Component

    spec = (plugins or installed()).spec(RewardSpec, id)
    component: Component = _made(spec, Component, "put @rftgym.reward() above a function that scores")
    return replace(component, name=component.name if is_file(id) else id, weight=weight)


def make_parser(id: str, *, plugins: Plugins | None = None) -> Parser:
    """An installed parser, or one from a file: ``make_parser("tag")``, ``make_parser("./my_parser.py:Boxed")``.

    Raises:
        UnknownIdError: no installed plugin registers it.
        PluginError: what was registered is no parser. Of a file it is a UsageError.
    """
    from rftgym.parser import Parser

    spec = (plugins or installed()).spec(ParserSpec, id)
    parser: Parser = _made(spec, Parser, "derive a class from rftgym.Parser")
    return parser


def _fault(spec: Spec) -> type[UsageError | PluginError]:
    """Whose fault it is: the user's own file, or a plugin."""
    return UsageError if is_file(spec.id) else PluginError


def _made(spec: Spec, base: type, cure: str) -> Any:
    """What a spec names, or what that makes.

    Raises:
        PluginError: it is something else. Of a file it is a UsageError.
    """
    target, fault = spec.load(), _fault(spec)
    where = f"{spec.kind} {label(spec.id)!r}: {spec.entry_point!r}"
    if not isinstance(target, base):
        try:
            inspect.signature(target).bind(**spec.kwargs)
        except (TypeError, ValueError) as error:
            raise fault(f"{where} is no {base.__name__}, and makes none: {error}; {cure}") from error
        target = target(**spec.kwargs)
    if not isinstance(target, base):
        raise fault(f"{where} made {type(target).__name__}, not a {base.__name__}: {cure}")
    return target


def make_sandbox(id: str, *, plugins: Plugins | None = None, **settings: Any) -> Sandbox:
    """An installed sandbox, started and to be closed: ``make_sandbox("local", preload=["math"])``.

    Args:
        settings: of its constructor; the framework's environments give some of those that
            :class:`rftgym.sandbox.LocalSandbox` takes.
    Raises:
        UnknownIdError: no installed plugin registers it.
        UsageError: it does not take these settings.
        PluginError: what was registered is no sandbox.
        RftgymError: this machine lacks what it needs.
    """
    from rftgym.sandbox import Sandbox

    spec = (plugins or installed()).spec(SandboxSpec, id)
    factory = spec.load()
    if not (isinstance(factory, type) and issubclass(factory, Sandbox)):
        raise PluginError(
            f"sandbox {id!r}: {spec.entry_point!r} is no class that derives from rftgym.sandbox.Sandbox"
        )
    arguments = {**spec.kwargs, **settings}
    try:
        inspect.signature(factory).bind(**arguments)
    except TypeError as error:
        given = ", ".join(settings) or "no settings"
        raise UsageError(f"sandbox {id!r} cannot be made with {given}: {error}") from error
    return factory(**arguments)


def make_policy(
    settings: ModelSettings, *, trainable: bool = False, seed: int = 0, plugins: Plugins | None = None
) -> Policy:
    """The policy that ``--model`` names: a registered id, ``scheme:rest``, a directory, or a hub id ``owner/name``.

    Args:
        trainable: attach what the settings ask to train (an adapter, or all weights).
        seed: of the initial values of what is attached.
    Raises:
        UsageError: nothing fits the name, or the policy cannot be trained.
    """
    plugins = plugins or installed()
    spec = policy_spec(settings.id, plugins)
    if trainable and not spec.trainable:
        raise UsageError(
            f"model {settings.id!r} has no weights that can be trained here; see `rftgym list policy`"
        )
    factory = spec.load()
    arguments = {"trainable": trainable, "seed": seed, **spec.kwargs}
    try:
        inspect.signature(factory).bind(settings, **arguments)
    except TypeError as error:
        called = "f(settings, trainable=..., seed=...)"
        raise _fault(spec)(
            f"policy {label(spec.id)!r}: {spec.entry_point!r} cannot be called as {called}: {error}"
        ) from error
    policy: Policy = factory(settings, **arguments)
    return policy


def policy_spec(model: str, plugins: Plugins) -> PolicySpec:
    """Which policy a model's name belongs to.

    Raises:
        UnknownIdError: nothing fits.
        DuplicateIdError: two plugins take its scheme.
        UsageError: it looks like a path and there is nothing there.
    """
    from pathlib import Path

    if model in plugins.ids("policy") or is_file(model):
        return plugins.spec(PolicySpec, model)
    family = plugins.family(PolicySpec.kind, model)
    if family is not None:
        return cast(PolicySpec, family.spec)
    if Path(model).is_dir():
        return plugins.spec(PolicySpec, "transformers")
    if model.startswith((".", "/", "~")) or model.count("/") != 1:
        if "/" in model or model.startswith((".", "~")):
            raise UsageError(f"no model at {model!r}: no such directory")
        return plugins.spec(PolicySpec, model)  # raises: unknown id, with suggestions
    return plugins.spec(PolicySpec, "transformers")


def trainer_class(id: str, *, plugins: Plugins | None = None) -> type[Trainer]:
    """The class of an installed algorithm.

    Raises:
        UnknownIdError: no installed plugin registers it.
        PluginError: it has no ``Config``. Of a file it is a UsageError.
    """
    spec = (plugins or installed()).spec(TrainerSpec, id)
    loaded: type[Trainer] = spec.load()
    if not hasattr(loaded, "Config"):
        raise _fault(spec)(
            f"trainer {label(id)!r} has no Config: give the class the pydantic model of its settings, "
            "as in Config = rftgym.config.OptimizerSettings"
        )
    return loaded


def defaults_of(env_id: str, plugins: Plugins, *, model: str | None = None) -> Mapping[str, Any]:
    """What an environment and a model ask ``train`` to assume where the user says nothing, for every trainer.

    Args:
        model: instead of the environment's default one, which need not be installed where it is not used.

    Returns:
        Values by dotted key, "model.id" included; the model's win over the environment's.

    Raises:
        UnknownIdError: no such environment or model.
    """
    specs = [plugins.spec(EnvSpec, id) for id in env_ids(env_id)]
    named = model or _default_model(specs, plugins)
    known = model is not None or named in plugins.ids("policy")
    of_model = policy_spec(named, plugins).train_defaults if known else {}
    return {"model.id": named, **_largest(spec.train_defaults for spec in specs), **of_model}


def register(*specs: Spec, name: str | None = None) -> None:
    """Register specs with the installed plugins, for this process: ``register(EnvSpec("mine", "my_module:MyEnv"))``.

    Processes that rftgym starts register them too, by ``entry_point``; so their modules must be importable there. What
    is registered so already stays: a notebook's cell may be run again.
    """
    plugins = installed()
    there = [each.spec for each in plugins.registrations()]
    new = [spec for spec in specs if spec not in there]
    if new:
        plugins.register(*new, name=name)
    if "gymnasium" in sys.modules:
        from rftgym.gym import register as register_with_gymnasium

        register_with_gymnasium(plugins)


def env_ids(env_id: str) -> list[str]:
    """The environments that an id names: itself, or the parts of a mix."""
    return list(parse_mix(env_id)) if is_mix(env_id) else [env_id]


def _default_model(specs: Sequence[EnvSpec], plugins: Plugins) -> str:
    """The first environment's; for a mix, rather an installed model that knows all its parts."""
    knowing = [id for id in plugins.ids("policy") if _knows_all(plugins.spec(PolicySpec, id), specs)]
    return knowing[0] if len(specs) > 1 and knowing else specs[0].default_model


def _knows_all(policy: PolicySpec, specs: Sequence[EnvSpec]) -> bool:
    return bool(policy.knows) and all(spec.id in policy.knows for spec in specs)


def _largest(layers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Settings of several environments together: of numbers the largest, of anything else the first."""
    together: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            old = together.setdefault(name, value)
            if type(value) in (int, float) and type(old) in (int, float):
                together[name] = max(old, value)
    return together


def strangers(policy: PolicySpec, env_id: str) -> list[str]:
    """Environments (of an id or a mix) on which a model was never trained although it knows nothing else."""
    return [id for id in env_ids(env_id) if policy.knows and id not in policy.knows]


def defaults_for(
    assumed: Mapping[str, Any], trainer: str | None = None, settings: type[Settings] | None = None
) -> dict[str, Any]:
    """Those of :func:`defaults_of` that mean something to a trainer, or, where none is named, to a run without one.

    Args:
        trainer: its id. ``ppo.learning_rate`` is for the trainer "ppo" alone and wins over ``trainer.learning_rate``,
            which is for every trainer that has such a setting.
        settings: the trainer's own.
    """
    from rftgym.config import RunConfig

    general, own = {}, {}
    for name, value in assumed.items():
        group, _, rest = name.partition(".")
        if group == "trainer":
            if settings is not None and rest in settings.model_fields:
                general[name] = value
        elif group in RunConfig.model_fields:
            general[name] = value
        elif group == trainer:
            own[f"trainer.{rest}"] = value
    return general | own
