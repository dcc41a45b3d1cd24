"""Options that several commands share, each tied to the key of the configuration that it sets.

An option of this module doesn't reach the command's function: it leaves a layer of settings in the context, and
:func:`layers` gives all of them, the ``--config`` file first, then the options in the order in which they were given.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from rftgym.errors import UsageError

_LAYERS = "rftgym.layers"
CommandT = TypeVar("CommandT", bound=Callable[..., Any])
Decorator = Callable[[CommandT], CommandT]


def layers() -> list[dict[str, Any]]:
    """Settings from the ``--config`` file and the options of the running command; later ones win."""
    found: list[dict[str, Any]] = click.get_current_context().meta.get(_LAYERS, [])
    return found


def _add(context: click.Context, layer: dict[str, Any], *, first: bool = False) -> None:
    known = context.meta.setdefault(_LAYERS, [])
    known.insert(0 if first else len(known), layer)


def setting(*names: str, key: str, about: str, value: Any = None) -> Decorator[Any]:
    """An option that sets one key of the configuration, say ``trainer.steps``."""

    def take(context: click.Context, parameter: click.Parameter, given: object) -> None:
        if given is not None:
            from rftgym.config import dotted

            _add(context, dotted({key: given}))

    return click.option(*names, type=value, callback=take, expose_value=False, help=f"{about}  [{key}]")


def _numbers(*names: str, key: str, metavar: str, about: str) -> Decorator[Any]:
    """A repeatable option ``NAME=NUMBER`` that fills a mapping of the configuration."""
    section, _, field = key.partition(".")

    def take(context: click.Context, parameter: click.Parameter, value: Sequence[str]) -> None:
        for text in value:
            _add(context, {section: {field: dict([named_number(names[0], text)])}})

    return click.option(
        *names, multiple=True, metavar=metavar, callback=take, expose_value=False, help=f"{about}  [{key}]"
    )


def named_number(option: str, text: str) -> tuple[str, float]:
    """``"brevity=0.1"`` as ``("brevity", 0.1)``.

    Raises:
        UsageError: it is not of this form.
    """
    name, _, number = text.rpartition("=")
    with contextlib.suppress(ValueError):
        if name.strip():
            return name.strip(), float(number)
    raise UsageError(f"{option} {text!r}: expected NAME=NUMBER, say {option} brevity=0.1")


def texts(*names: str, key: str, metavar: str, about: str) -> Decorator[Any]:
    """A repeatable option that fills a list of the configuration."""

    def take(context: click.Context, parameter: click.Parameter, value: Sequence[str]) -> None:
        if value:
            from rftgym.config import dotted

            _add(context, dotted({key: list(value)}))

    return click.option(
        *names, multiple=True, metavar=metavar, callback=take, expose_value=False, help=f"{about}  [{key}]"
    )


def _take_set(context: click.Context, parameter: click.Parameter, value: Sequence[str]) -> None:
    from rftgym.config import dotted

    for text in value:
        key, equals, number = text.partition("=")
        if not equals or not all(key.split(".")):
            raise UsageError(f"--set {text!r}: expected KEY=VALUE, say --set trainer.learning_rate=1e-4")
        _add(context, dotted({key: yaml_value("--set", text, number)}))


def yaml_value(option: str, text: str, value: str) -> Any:
    """A value as YAML reads it: numbers, booleans, null, lists and words.

    Raises:
        UsageError: it is no YAML.
    """
    import yaml

    try:
        return yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UsageError(f"{option} {text!r}: the value is not YAML: {error}") from error


def _take_unsafe(context: click.Context, parameter: click.Parameter, given: bool) -> None:
    if given:
        _add(context, {"env": {"kwargs": {"allow_unsafe_sandbox": True}}})


def _take_config(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        from rftgym.config import read_yaml

        _add(context, read_yaml(value), first=True)


def _together(*options: Decorator[Any]) -> Decorator[Any]:
    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


config_options = _together(
    click.option(
        "--config",
        metavar="FILE.yaml",
        callback=_take_config,
        expose_value=False,
        help="Settings by name, as in a run's config.yaml. Options win over the file.",
    ),
    click.option(
        "--set",
        multiple=True,
        metavar="KEY=VALUE",
        callback=_take_set,
        expose_value=False,
        help="Any setting by its dotted name, say trainer.beta=0.02; the value is read as YAML. Repeatable.",
    ),
)
env_options = _together(
    setting(
        "--tasks", key="env.tasks", about="Tasks of your own, one a line; see `rftgym info ENV --schema`."
    ),
    _numbers(
        "--reward", key="rewards.add", metavar="ID=WEIGHT", about="Add an installed reward. Repeatable."
    ),
    _numbers(
        "--weight",
        key="rewards.weights",
        metavar="NAME=WEIGHT",
        about="Change a component's weight. Repeatable.",
    ),
)
_sandbox_options = _together(
    setting(
        "--target",
        key="env.kwargs.target",
        about="GPU that kernels are compiled for, where the environment has any: cuda:90, hip:gfx942.",
    ),
    click.option(
        "--allow-unsafe-sandbox",
        is_flag=True,
        callback=_take_unsafe,
        expose_value=False,
        help="Run untrusted code even where this machine cannot isolate it; see `rftgym doctor`.",
    ),
)
env_options = _together(env_options, _sandbox_options)
shots_option = setting(
    "--shots", key="env.shots", value=int, about="Solved train tasks shown before each task."
)
env_option = setting(
    "--env", key="env.id", about="The environment (`rftgym list env`), or a mix: wordle:2,math:1."
)
model_options = _together(
    setting("--model", key="model.id", about="A model's id, directory, run or hub id; `rftgym list policy`."),
    setting("--weights", key="model.weights", about="An adapter directory to start from."),
    setting("--device", key="model.device", about="Where the model runs: auto, cpu, cuda, cuda:1."),
)
sampling_options = _together(
    setting("--temperature", key="sampling.temperature", value=float, about="Of sampling; 0 is greedy."),
    setting(
        "--top-p", key="sampling.top_p", value=float, about="Sample from the likeliest tokens of this mass."
    ),
    setting("--max-tokens", key="sampling.max_tokens", value=int, about="Longest completion, in tokens."),
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, and nothing else, on standard output."
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="No progress.")


def resolved(settings: Sequence[Mapping[str, Any]]) -> Any:
    """A whole :class:`rftgym.config.RunConfig` for a command that doesn't train: its trainer's part goes unread.

    Raises:
        UsageError: no environment was named, or a setting is unknown or wrong.
    """
    from rftgym.config import RunConfig, dotted, merged, parsed
    from rftgym.registry import defaults_for, defaults_of, installed

    asked = merged(*settings)
    env = asked.get("env", {})
    if not isinstance(env, Mapping) or not env.get("id"):
        raise UsageError("no environment: name one with --env (`rftgym list env` shows all)")
    assumed = defaults_for(defaults_of(str(env["id"]), installed()))
    return parsed(RunConfig, merged(dotted(assumed), asked))


def resolved_for(env: str, command: str) -> Any:
    """:func:`resolved` for a command that takes its environment as an argument.

    Raises:
        UsageError: as there; where a reward was named in its place, says how the command takes one.
    """
    try:
        return resolved([*layers(), {"env": {"id": env}}])
    except UsageError:
        if _is_reward(env):
            from rftgym.files import label

            raise UsageError(
                f"{label(env)!r} is a reward, which needs an environment to judge: "
                f"rftgym {command} wordle --reward {env}=0.2"
            ) from None
        raise


def _is_reward(id: str) -> bool:
    """Whether an id that is no environment's is a reward's, installed or in a file."""
    from rftgym.errors import RftgymError
    from rftgym.registry import installed
    from rftgym.rubric import Component
    from rftgym.specs import RewardSpec

    try:
        return isinstance(installed().spec(RewardSpec, id).load(), Component)
    except RftgymError:
        return False
