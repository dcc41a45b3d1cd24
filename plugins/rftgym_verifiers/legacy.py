"""The API of verifiers up to 0.3.1: ``load_environment``, ``Rubric``, ``MultiTurnEnv``.

An episode is the environment's own ``rollout``, with a client that asks rftgym's policy. Rewards are not left to
``Rubric.score_rollout``, which turns an exception into a reward of 0: the functions are called here.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from verifiers.clients import Client
from verifiers.envs.multiturn_env import MultiTurnEnv
from verifiers.errors import InfraError, OverlongPromptError
from verifiers.rubrics.rubric import Rubric
from verifiers.rubrics.rubric_group import RubricGroup
from verifiers.types import Response, ResponseMessage, Usage

from rftgym.errors import ContractError, InfrastructureError, UsageError
from rftgym.types import Message, Task
from rftgym_verifiers.foreign import LIMIT_OF_TURNS, Foreign, Source, unique, without_groups
from rftgym_verifiers.judging import judge, settled
from rftgym_verifiers.rows import tasks_of
from rftgym_verifiers.talk import Cut, Play, Said, Talk, Verdict
from rftgym_verifiers.texts import field, messages_of, news
from rftgym_verifiers.tools import calls_in, manual, plain, with_manual

MODEL = "rftgym"
TRUNCATING = (
    "max_turns_reached",
    "prompt_too_long",
    "timeout_reached",
    "max_total_completion_tokens_reached",
)
"""Stop conditions that cut an episode; all others end it."""


class _Judge:
    """One reward function and the rubric that it belongs to."""

    def __init__(self, rubric: Any, function: Callable[..., Any]) -> None:
        self.name: str = getattr(function, "__name__", type(function).__name__)
        self._rubric = rubric
        self._function = function
        parameters = inspect.signature(function).parameters.values()
        takes_all = any(each.kind is each.VAR_KEYWORD for each in parameters)
        self._wanted = None if takes_all else {each.name for each in parameters}

    def call(self, state: Any) -> Any:
        """Call it with what it asks for, as verifiers does."""
        objects = self._rubric.score_objects(state)
        if self._wanted is not None:
            objects = {name: value for name, value in objects.items() if name in self._wanted}
        return self._function(**objects)


class _WholeRubric:
    """A rubric that scores in a way of its own, as one reward."""

    def __init__(self, rubric: Any) -> None:
        self.name = type(rubric).__name__
        self._rubric = rubric

    async def call(self, state: Any) -> Any:
        """Let the rubric score; its reward is the value."""
        await self._rubric.score_rollout(state)
        return state["reward"]


class Legacy(Foreign):
    """An environment that ``load_environment`` gave.

    Args:
        name: by which it was loaded.
        env: the environment.
        without: names of reward functions that are left out.

    Raises:
        UsageError: it judges groups of rollouts, or has no reward.
    """

    def __init__(self, name: str, env: Any, without: Sequence[str] = ()) -> None:
        self.name = name
        self.env = env
        limit = getattr(env, "max_turns", -1)
        self.max_turns = limit if limit > 0 else LIMIT_OF_TURNS
        judges = [each for each in _judges(env.rubric, 1.0) if each[0].name not in without]
        without_groups(name, [each.name for each in _group_judges(env.rubric)], without)
        names = unique([each.name for each, _ in judges])
        self._judges = {own: each for own, (each, _) in zip(names, judges, strict=True)}
        self.sources = tuple(Source(own, weight) for own, (_, weight) in zip(names, judges, strict=True))
        train, held_out = env.build_dataset(), env.build_eval_dataset()
        rows = [] if train is None else train.to_list()
        self.tasks = tasks_of(name, rows, None if held_out is None else held_out.to_list(), "example_id")
        self._opens_itself = any(
            getattr(type(env), method) is not getattr(MultiTurnEnv, method, None)
            for method in ("setup_state", "get_prompt_messages", "rollout")
        )

    def opening(self, task: Task) -> tuple[Message, ...] | None:
        """The row's prompt, unless the environment changes it.

        Raises:
            UsageError: a row of the user's own has none.
        """
        if "prompt" not in task.data:
            raise UsageError(
                f"task {task.id!r} has no 'prompt', which is what verifiers:{self.name} begins with"
            )
        with_tools = self.env.tool_defs or "tool_defs" in (task.data.get("info") or {})
        return None if self._opens_itself or with_tools else messages_of(task.data["prompt"])

    def answer(self, completion: str) -> Any:
        """What the environment's parser finds."""
        return self.env.parser.parse_answer([{"role": "assistant", "content": completion}])

    def candidates(self, task: Task) -> Sequence[str]:
        """The row's answer, as it is, in the parser's format, and in a box."""
        answer = task.data.get("answer")
        if not isinstance(answer, str) or not answer:
            return ()
        found = [answer, f"\\boxed{{{answer}}}"]
        if hasattr(self.env.parser, "format"):
            fields = self.env.parser.get_fields()
            found.insert(0, self.env.parser.format(**dict.fromkeys(fields, answer)))
        return found

    def play(self, task: Task, timeout_seconds: float) -> Play:
        """The environment's own rollout, then its rewards."""

        async def play(talk: Talk) -> Verdict:
            client = _Client(talk)
            state = await self.env.rollout(task.data, client, MODEL, {})
            _raise_error(state)
            stopped = state.get("stop_condition")
            cut = stopped in TRUNCATING and self.max_turns > 1
            verdict = Verdict(truncated=cut, closing=client.closing(state))
            for name, each in self._judges.items():
                await judge(talk, verdict, name, functools.partial(each.call, state), timeout_seconds)
            await settled(functools.partial(self.env.rubric.cleanup, state), timeout_seconds)
            return verdict

        return play


class _Client(Client):  # type: ignore[misc]  # of a package without types
    """A client whose model is rftgym's policy, for one episode."""

    def __init__(self, talk: Talk) -> None:
        super().__init__(None)
        self._talk = talk
        self._conversation: list[Message] = []
        self._prompt: list[Any] = []

    async def get_response(
        self, prompt: Any, model: str, sampling_args: Any, tools: Any = None, **kwargs: Any
    ) -> Any:
        """The policy's completion."""
        messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
        added = self._news(messages, manual(tools or ()))
        try:
            said = await self._talk.ask(added)
        except Cut as cut:
            raise OverlongPromptError("the episode was cut") from cut  # what ends a rollout in good order
        response = _response(said, f"call-{len(self._conversation)}" if tools else "")
        self._conversation += plain([response.message])
        return response

    def _news(self, prompt: Any, instructions: str) -> tuple[Message, ...]:
        """What the policy has not read yet. Messages that were there last time are told by being the same objects."""
        same = 0
        if not instructions:
            pairs = zip(prompt, self._prompt, strict=False)
            same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] is pair[1], pairs))
        whole = [*self._conversation[:same], *with_manual(plain(prompt[same:]), instructions)]
        added = news(whole, self._conversation)
        self._prompt, self._conversation = list(prompt), whole
        return added

    def closing(self, state: Any) -> tuple[Message, ...]:
        """What the environment said after the last completion."""
        said = list(state.get("completion") or ())
        last = max((i for i, each in enumerate(said) if field(each, "role") == "assistant"), default=-1)
        return tuple(plain(said[last + 1 :])) if last >= 0 else ()

    def setup_client(self, config: Any) -> Any:
        """There is none."""

    async def close(self) -> None:
        """Nothing is open."""

    async def _elsewhere(self, *args: Any, **kwargs: Any) -> Any:
        raise ContractError("the environment asks its client for something else than a chat completion")

    to_native_tool = to_native_prompt = get_native_response = _elsewhere
    raise_from_native_response = from_native_response = _elsewhere


def _response(said: Said, call_ids: str) -> Any:
    content, calls = calls_in(said.text, call_ids) if call_ids else (said.text, None)
    message = ResponseMessage(
        content=content,
        tool_calls=calls,
        finish_reason="length" if said.cut_off else "tool_calls" if calls else "stop",
        is_truncated=said.cut_off,
    )
    used = (said.prompt_tokens, said.completion_tokens)
    usage = Usage(
        prompt_tokens=used[0], reasoning_tokens=0, completion_tokens=used[1], total_tokens=sum(used)
    )
    return Response(id="", created=int(time.time()), model=MODEL, usage=usage, message=message)


def _raise_error(state: Mapping[str, Any]) -> None:
    """What verifiers caught in a rollout is a failure, and nothing is judged after it."""
    error = state.get("error")
    if isinstance(error, InfraError):
        raise InfrastructureError(f"{type(error).__name__}: {error}") from error
    if isinstance(error, BaseException):
        raise error


def _judges(rubric: Any, weight: float) -> Iterator[tuple[_Judge | _WholeRubric, float]]:
    """Reward functions with their weights; those of a group's rubrics one after the other."""
    own = type(rubric)
    if own.score_rollout is RubricGroup.score_rollout:
        for each in rubric.rubrics:
            yield from _judges(each, weight)
    elif (
        own.score_rollout is Rubric.score_rollout
        and own._call_individual_reward_func is Rubric._call_individual_reward_func
    ):
        for function, its_weight in zip(rubric.funcs, rubric.weights, strict=True):
            if not rubric._is_group_func(function):
                yield _Judge(rubric, function), weight * float(its_weight)
    else:
        yield _WholeRubric(rubric), weight


def _group_judges(rubric: Any) -> Iterator[_Judge]:
    if type(rubric).score_rollout is RubricGroup.score_rollout:
        for each in rubric.rubrics:
            yield from _group_judges(each)
    else:
        yield from (_Judge(rubric, each) for each in rubric.funcs if rubric._is_group_func(each))


def load(name: str, args: Mapping[str, Any], without: Sequence[str]) -> Legacy:
    """Load an environment as verifiers does.

    Raises:
        UsageError: it cannot be loaded; says why.
    """
    import verifiers

    try:
        env = verifiers.load_environment(name, **args)
    except (RuntimeError, ValueError, TypeError) as error:  # verifiers wraps whatever goes wrong
        cause = error.__cause__ or error
        raise UsageError(
            f"verifiers:{name}: cannot load it with {dict(args)}: {type(cause).__name__}: {cause}"
        ) from error
    return Legacy(name, env, without)
