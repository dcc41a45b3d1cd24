"""``rftgym play``."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from rftgym.cli import options, output
from rftgym.errors import UsageError
from rftgym.types import Message, Task, Turn

if TYPE_CHECKING:
    from rftgym.env import TextEnv

END = "."  # ends an answer of several lines, as in mail(1)
Say = Callable[..., None]  # click.echo, to one of the two outputs


@click.command("play")
@click.argument("env")
@click.option("--task", metavar="TASK", help="This task; by default one is drawn.")
@click.option("--split", default="train", help="Where to draw it from: train, validation or test.")
@click.option("--seed", type=int, help="Of the draw and of the episode; by default another one each time.")
@click.option(
    "--multiline", is_flag=True, help="An answer may have several lines; a line with just a dot ends it."
)
@click.option(
    "--raw", is_flag=True, help="Take what you type as the completion: write the answer's tags yourself."
)
@options.env_options
@options.json_option
def command(
    env: str, task: str | None, split: str, seed: int | None, multiline: bool, raw: bool, as_json: bool
) -> None:
    """Play an environment yourself: you are the model. Answers are read from standard input, one a line.

    At the end it shows the reward and what every component gave. With --json the game goes to standard error and its
    record to standard output.
    """
    say = functools.partial(click.echo, file=sys.stderr if as_json else sys.stdout)
    with output.only_result_on_stdout():  # the whole game: the environment and its rewards may print as well
        config = options.resolved([{"env": {"id": env}}, *options.layers()])
        from rftgym.registry import make_configured

        game = make_configured(config.env, config.rewards)
        seed = _any_seed() if seed is None else seed
        _show_messages(game.start(_task(game, task, split, seed), seed), say)
        answers = _answers(_prompter(say), multiline=multiline)
        _play(game, answers if raw else _tagged(game, answers, say), say)
        record = _record(game, seed) if as_json else None
        if not as_json:
            say(_result(game, seed))
    if as_json:
        output.print_json(record)


def _any_seed() -> int:
    import secrets

    return secrets.randbelow(2**31)


def _task(env: TextEnv[Any], id: str | None, split: str, seed: int) -> Task:
    return env.tasks.by_id(id) if id is not None else env.tasks.sample(split, 1, seed)[0]


def _prompter(say: Say) -> Callable[[], None]:
    """Writes a prompt before each answer, where a person is there to see it."""
    return functools.partial(say, "> ", nl=False) if sys.stdin.isatty() else lambda: None


def _answers(prompt: Callable[[], None], *, multiline: bool) -> Iterator[str]:
    """Answers from standard input until its end."""
    while True:
        prompt()
        lines: list[str] = []
        while line := sys.stdin.readline():
            text = line.rstrip("\r\n")
            if multiline and text == END:
                break
            lines.append(text)
            if not multiline:
                break
        else:
            if not lines:
                return
        yield "\n".join(lines)


def _tagged(env: TextEnv[Any], answers: Iterator[str], say: Say) -> Iterator[str]:
    """Answers with the tags around them that the environment's parser looks for, where there are any."""
    from rftgym.parser import TagParser

    parser = env.parser
    if not isinstance(parser, TagParser):
        return answers
    say(f"(type the bare answer: it is put between <{parser.tag}> and </{parser.tag}>)")
    return (text if f"<{parser.tag}>" in text else f"<{parser.tag}>{text}</{parser.tag}>" for text in answers)


def _play(env: TextEnv[Any], answers: Iterator[str], say: Say) -> None:
    while not _finished(env):
        answer = next(answers, None)
        if answer is None:
            return
        messages = env.advance(Turn((), answer))
        if _draws(env):
            say(env.rendered())
        if not _draws(env) or _finished(env):
            _show_messages(messages, say)


def _draws(env: TextEnv[Any]) -> bool:
    """The environment has a picture of its own, better than the last observation."""
    from rftgym.env import TextEnv

    return type(env).rendered is not TextEnv.rendered


def _show_messages(messages: Sequence[Message], say: Say) -> None:
    for message in messages:
        content = output.harmless(message.content)
        say(f"[system] {content}" if message.role == "system" else content)


def _finished(env: TextEnv[Any]) -> bool:
    return env.trajectory.terminated or env.trajectory.truncated


def _result(env: TextEnv[Any], seed: int) -> str:
    """Reward and components of the episode, or a word on why there are none."""
    from rftgym.cli.catalog import aligned

    if not _finished(env):
        return "no more answers: the episode was left before its end and is not scored"
    score = env.rubric.score(env.trajectory)
    weights = env.rubric.weights
    table = [
        (name, output.interval_text(value), f"weight {weights[name]:g}")
        for name, value in score.components.items()
    ]
    verdict = {True: "success", False: "no success", None: "cannot be scored"}[score.success]
    failures = [f"  {failure.name}: {failure.kind}: {failure.message}" for failure in env.trajectory.failures]
    head = (
        f"task {env.trajectory.task.id}, seed {seed}: reward {output.interval_text(score.reward)}, {verdict}"
    )
    return "\n".join([head, *aligned(table), *failures])


def _record(env: TextEnv[Any], seed: int) -> dict[str, Any]:
    episode = env.trajectory
    if not episode.turns and not _finished(env):
        raise UsageError("no answer on standard input; type one, or pipe a file with one answer a line")
    score = env.rubric.score(episode) if _finished(env) else None
    return {
        "env": env.id,
        "task": episode.task.id,
        "seed": seed,
        "completions": [turn.completion for turn in episode.turns],
        "terminated": episode.terminated,
        "truncated": episode.truncated,
        "reward": score.reward if score else None,
        "success": score.success if score else None,
        "components": score.components if score else None,
        "failures": [f"{each.name}: {each.kind}: {each.message}" for each in episode.failures],
    }
