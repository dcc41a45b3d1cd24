"""The environment contract: a real ``gymnasium.Env`` over text, which an author fills in with a few dozen lines.

An author writes ``make_tasks``, ``make_rubric`` and either ``prompt`` (:class:`SingleTurnEnv`) or ``begin`` and
``respond`` (:class:`MultiTurnEnv`); :func:`rftgym.testing.check_env` says whether the result keeps the contract. Two
doors lead to the same transitions: Gymnasium's ``reset`` and ``step``, and ``start`` and ``advance``, which the rollout
engine uses because it brings tokens along and scores in batches.
"""

from __future__ import annotations

import copy
import inspect
import itertools
import math
import string
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Annotated, Any, ClassVar, Generic, Literal, NoReturn, TypeVar

import gymnasium
from gymnasium.vector.utils import create_shared_memory
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rftgym.errors import ContractError, UsageError
from rftgym.gym import register_installed
from rftgym.parser import Parser, TextParser
from rftgym.rubric import Rubric
from rftgym.tasks import SPLITS, ListTaskset, Taskset, read_jsonl
from rftgym.types import Failure, Message, Task, Trajectory, Turn

StateT = TypeVar("StateT")
LARGEST_OBSERVATION_CHARS = 65_536
_EPISODE = ("_state", "_trajectory", "_pending", "_rng", "_np_random", "_np_random_seed", "_paid")
"""What changes in the course of an episode. Copied in one piece, since a state may hold on to the generator."""


class TaskRow(BaseModel):
    """One line of a ``--tasks`` file. An environment subclasses it with the fields that its tasks need."""

    model_config = ConfigDict(extra="forbid")

    id: str | None = None
    split: Literal["train", "validation", "test"] = "train"
    difficulty: Annotated[float, Field(ge=0, le=1)] | None = None

    def to_task(self) -> Task:
        """The task of this row; its data are the fields that the subclass added."""
        own = {
            name: value
            for name, value in self.model_dump(mode="json").items()
            if name not in TaskRow.model_fields
        }
        return Task(self.task_id(), own, self.split, self.difficulty)

    def task_id(self) -> str:
        """The row's id; a subclass may derive one from its fields.

        Raises:
            UsageError: the row has none.
        """
        if not self.id:
            raise UsageError("the task needs an 'id'")
        return self.id


@dataclass(slots=True)
class Response:
    """What an environment answers to a completion.

    Attributes:
        observation: the next user message; at the end of an episode, the closing words (may be empty).
        terminated: the task has ended.
        info: facts about the turn, for rewards and reports (JSON values).
        truncated: the episode is cut here although the task has not ended, say by a time limit of its own.
    """

    observation: str = ""
    terminated: bool = False
    info: dict[str, Any] = field(default_factory=dict)
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An environment's state at one moment; opaque. Restore it into any environment of the same class."""

    attributes: Mapping[str, Any]


class TextSpace(gymnasium.spaces.Text):
    """Any text up to a length. Gymnasium's own ``Text`` holds one alphabet only; samples are printable ASCII here."""

    def __init__(self, max_length: int) -> None:
        super().__init__(max_length, min_length=0, charset=string.printable)

    def contains(self, x: Any) -> bool:
        """Whether ``x`` is a string that is not too long."""
        return isinstance(x, str) and len(x) <= self.max_length


class _Undrawn(Random):
    """Stands for an episode's generator where nothing is drawn; seeding a real one takes some 4 microseconds."""

    def random(self) -> float:
        """Refuse.

        Raises:
            ContractError: always.
        """
        raise ContractError(
            "begin() or respond() draws, but its class says draws = False: leave that line out"
        )

    def getrandbits(self, k: int, /) -> int:
        """Refuse, as ``random`` does."""
        return int(self.random())

    def __deepcopy__(self, memo: dict[int, Any]) -> _Undrawn:
        return self


_UNDRAWN = _Undrawn(0)


@create_shared_memory.register(TextSpace)
def _no_shared_memory(space: TextSpace, n: int = 1, ctx: Any = None) -> NoReturn:
    """Gymnasium 1.4 never reads texts back from shared memory: a clear error is better than observations of zeros."""
    raise gymnasium.error.CustomSpaceError(
        "texts cannot be shared; pass vector_kwargs={'shared_memory': False}"
    )


class TextEnv(gymnasium.Env[str, str], Generic[StateT], ABC):
    """Base of :class:`SingleTurnEnv` and :class:`MultiTurnEnv`.

    Class attributes that an author may set:
        max_turns: completions an episode has at most; then it is truncated.
        max_completion_chars: a longer completion ends the episode as truncated.
        system: the system message, or None.
        parser: how an answer is read out of a completion.
        task_row: the model of a line in a ``--tasks`` file.
        slow: stepping takes long enough (milliseconds) that the engine should let other episodes decode meanwhile.
        snapshots: an episode's state can be copied; False where it lives elsewhere, say on a server, and ``snapshot()``
            refuses.
        draws: ``begin`` or ``respond`` draws from its generator; where False, none is made and the one that is passed
            refuses.

    Attributes:
        id: under which the environment was made; its class's name until then.
        shots: messages of solved tasks that are shown before each task's own first message.
        rubric: composes its rewards.
        tasks: by split.
        spawned: made by :meth:`spawn`, so that closing it must leave alone what it shares with others.

    Args:
        rubric: instead of ``make_rubric()``.
        tasks: instead of ``make_tasks()``.
        max_turns: instead of the class's.
        render_mode: "ansi" (``render`` returns text), "human" (it prints) or None.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi", "human"], "render_fps": 4}  # type: ignore[misc]
    max_turns: int = 1
    max_completion_chars: int = 16_384
    system: str | None = None
    parser: Parser = TextParser()
    task_row: type[TaskRow] = TaskRow
    slow: bool = False
    snapshots: bool = True
    spawned: bool = False
    draws: bool = True

    def __init__(
        self,
        *,
        rubric: Rubric | None = None,
        tasks: Taskset | None = None,
        max_turns: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise UsageError(f"render_mode {render_mode!r}; it is one of ansi, human or None")
        _check_kinds(rubric, tasks, max_turns)
        self.id = type(self).__name__
        self.shots: tuple[Message, ...] = ()
        self.rubric = self.make_rubric() if rubric is None else rubric
        self.tasks = self.make_tasks() if tasks is None else tasks
        _check_made(self)
        if max_turns is not None:
            self.max_turns = max_turns
        self.render_mode = render_mode
        self.observation_space = TextSpace(LARGEST_OBSERVATION_CHARS)
        self.action_space = TextSpace(self.max_completion_chars)
        self._state: StateT | None = None
        self._trajectory: Trajectory | None = None
        self._rng: Random = _UNDRAWN
        self._pending: tuple[Message, ...] = ()
        self._paid = 0.0

    # ---- what an author writes

    @abstractmethod
    def make_tasks(self) -> Taskset:
        """The environment's own tasks. Must not download anything."""

    @abstractmethod
    def make_rubric(self) -> Rubric:
        """The environment's own rewards."""

    @abstractmethod
    def begin(self, task: Task, rng: Random) -> tuple[StateT, str | Sequence[Message]]:
        """Start an episode: its state, and the first user message (or all first messages, then without ``system``)."""

    @abstractmethod
    def respond(self, state: StateT, turn: Turn, rng: Random) -> Response:
        """Answer a completion; may change ``state``. A malformed completion is data: say so in the observation."""

    def demonstrations(self, split: str, n: int, seed: int) -> Iterator[list[Message]]:
        """Conversations of an imperfect player, of the train split; none by default. See also :meth:`demonstrate`."""
        return iter(())

    def demonstrate(self, task: Task, seed: int) -> list[Message] | None:
        """A conversation that solves a task, as the episode would go, up to its last completion or closing words.

        Supervised fine-tuning, warm starts and few-shot prompts learn from it. None, as by default, where the
        environment knows no solution.
        """
        return None

    def cheats(self, task: Task) -> Mapping[str, Sequence[str] | str]:
        """Known ways to be paid on a task without solving it, for ``rftgym audit`` to try; none by default.

        Returns:
            By a name for each way, the completions of an episode, or one that is said in every turn.
        """
        return {}

    def same_answer(self, task: Task, answer: Any, other: Any) -> bool:
        """Whether two parsed answers to a task mean the same; by default, whether they are equal.

        ``rftgym audit`` tells by it who is right by luck from who is paid without being right; so it must not ask the
        reward.
        """
        return bool(answer == other)

    @classmethod
    def names(cls) -> list[str]:
        """The members of a family of environments (see ``EnvSpec.scheme``), as they stand behind the colon."""
        return []

    def solved(self, n: int, seed: int) -> Iterator[list[Message]]:
        """Solutions of up to ``n`` tasks of the train split, each ending with a completion.

        Tasks come in an order given by the seed; those that the environment cannot solve itself are passed over. Of a
        split without end, ``10 * n`` tasks are tried.
        """
        size = self.tasks.size("train")
        tried = itertools.islice(self.tasks.order("train", seed), 10 * n if size is None else size)
        return itertools.islice(self._solutions(tried, seed), n)

    def _solutions(self, tasks: Iterable[Task], seed: int) -> Iterator[list[Message]]:
        for task in tasks:
            conversation = self.demonstrate(task, seed)
            while conversation and conversation[-1].role != "assistant":
                conversation = conversation[:-1]  # closing words teach nothing
            if conversation:
                yield conversation

    # ---- the engine's door

    @property
    def trajectory(self) -> Trajectory:
        """The episode so far.

        Raises:
            UsageError: no episode was started.
        """
        if self._trajectory is None:
            raise UsageError("no episode yet: call reset() first")
        return self._trajectory

    def start(self, task: Task, seed: int, *, group: str = "", sample: int = 0) -> tuple[Message, ...]:
        """Start an episode on a task; return the first messages.

        Raises:
            ContractError: ``begin`` or ``prompt`` gave something else than a state and text or messages.
        """
        self._rng = Random(seed) if self.draws else _UNDRAWN
        self._paid = 0.0
        self._state, self._trajectory, self._pending = (
            None,
            None,
            (),
        )  # where begin() raises, there is no episode
        self._state, opening = _begun(self.id, self.begin(task, self._rng))
        self._trajectory = Trajectory(self.id, task, seed, group, sample)
        if isinstance(opening, str):
            user = Message("user", opening)
            self._pending = (Message("system", self.system), user) if self.system is not None else (user,)
        else:
            self._pending = opening
        if self.shots:
            first = next((i for i, m in enumerate(self._pending) if m.role != "system"), 0)
            self._pending = (*self._pending[:first], *self.shots, *self._pending[first:])
        return self._pending

    def advance(self, turn: Turn) -> tuple[Message, ...]:
        """Take a completion into the episode and answer it; an empty answer at the end means that it is over.

        Fills ``turn.messages``, ``answer``, ``well_formed`` and ``info``, appends it to the trajectory and sets
        ``terminated`` or ``truncated``. An exception of the environment propagates.

        Raises:
            ContractError: the environment has nothing to say although the episode goes on, or gave no ``Response``.
            UsageError: the episode is over, or none was started.
        """
        trajectory = self.trajectory
        if trajectory.terminated or trajectory.truncated:
            raise UsageError("the episode is over: call reset() before the next step()")
        turns, completion = trajectory.turns, turn.completion
        turn.messages = self._pending
        turn.answer, turn.well_formed = self.parser.parse(completion)
        turns.append(turn)
        if len(completion) > self.max_completion_chars:
            turn.answer, turn.well_formed = None, False
            trajectory.truncated = True
            return ()
        response = self.respond(self._state, turn, self._rng)  # type: ignore[arg-type]  # set by start()
        if not isinstance(response, Response):
            raise ContractError(
                f"{self.id!r}: respond() gave {_what(response)}; it returns rftgym.Response(text)"
            )
        if response.info:
            turn.info.update(response.info)
        observation, terminated = response.observation, response.terminated
        self._pending = messages = (Message("user", observation),) if observation else ()
        if terminated or response.truncated or len(turns) >= self.max_turns:
            trajectory.terminated, trajectory.truncated = terminated, not terminated
            trajectory.closing = messages
        elif not messages:
            raise ContractError(
                f"{self.id!r}: respond() said nothing although the episode goes on; give an observation"
            )
        return messages

    def abort(self, failure: Failure) -> None:
        """End the episode as truncated because something failed."""
        self.trajectory.failures.append(failure)
        self.trajectory.truncated = True

    def spawn(self) -> TextEnv[StateT]:
        """Another environment of this kind: shares tasks and rubric, has its own episode."""
        twin = object.__new__(type(self))
        for name, value in vars(
            self
        ).items():  # after copy.copy() Python 3.11 looks attributes up more slowly
            object.__setattr__(twin, name, value)
        twin._np_random = None
        twin._np_random_seed = None
        twin._state, twin._trajectory, twin._pending = None, None, ()
        twin.spawned = True
        return twin

    # ---- Gymnasium's door

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: of this environment's generator, which picks the task and seeds the episode; as Gymnasium has it, None
                goes on with the generator there is.
            options: "task": an id, or "split" (default "train") from which to draw.

        Returns:
            The last of the first messages, and info: "task" (id) and "messages" (all first messages).

        Raises:
            UsageError: an unknown option, task or split.
        """
        super().reset(seed=seed)
        task = self._pick(options or {})
        messages = self.start(task, int(self.np_random.random() * 2**31))
        if self.render_mode == "human":
            self.render()
        return messages[-1].content, {"task": task.id, "messages": messages}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Take one completion.

        Returns:
            observation, reward, terminated, truncated, info. Rewards of one episode sum to ``info["score"].reward``,
            which is there at its end; a reward that cannot be scored is NaN, never 0, with the reasons in
            ``info["failures"]``.
        """
        if not isinstance(action, str):
            raise UsageError(f"an action is text, not {type(action).__name__}")
        messages = self.advance(Turn((), action))
        trajectory = self.trajectory
        reward = self.rubric.score_turn(trajectory)
        info = dict(trajectory.turns[-1].info)
        if trajectory.terminated or trajectory.truncated:
            score = self.rubric.score(trajectory)
            reward = math.nan if score.reward is None else score.reward - self._paid
            info["score"] = score
        self._paid += reward
        if trajectory.failures:
            info["failures"] = list(trajectory.failures)
        if self.render_mode == "human":
            self.render()
        observation = messages[-1].content if messages else ""
        return observation, reward, trajectory.terminated, trajectory.truncated, info

    def render(self) -> str | None:
        """The conversation so far: returned in mode "ansi", printed in mode "human"."""
        text = self.rendered()
        if self.render_mode == "human":
            print(text)  # noqa: T201  # what render_mode="human" is for
            return None
        return text

    def rendered(self) -> str:
        """What ``render`` shows; override it for something better to look at."""
        trajectory = self.trajectory
        pending = () if trajectory.terminated or trajectory.truncated else self._pending
        return "\n".join(
            f"[{message.role}] {message.content}" for message in (*trajectory.messages, *pending)
        )

    def snapshot(self) -> Snapshot:
        """The whole state; what happens later does not change it.

        Raises:
            UsageError: the state lives elsewhere and cannot be copied (``snapshots`` is False).
        """
        if not self.snapshots:
            raise UsageError(
                f"{self.id!r} takes no snapshots: its state lives elsewhere and cannot be copied"
            )
        return Snapshot(copy.deepcopy({name: getattr(self, name) for name in _EPISODE}))

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot; it can be used again."""
        for name, value in copy.deepcopy(snapshot.attributes).items():
            setattr(self, name, value)

    def _pick(self, options: Mapping[str, Any]) -> Task:
        unknown = set(options) - {"task", "split"}
        if unknown:
            raise UsageError(
                f"unknown reset option {', '.join(map(repr, unknown))}; options are 'task' and 'split'"
            )
        id, split = options.get("task"), options.get("split")
        if id is not None:
            if not isinstance(id, str):
                raise UsageError(f"a task's id is a string, not {id!r}")
            task = self.tasks.by_id(id)
            if split not in (None, task.split):
                raise UsageError(f"task {id!r} of {self.id!r} is in split {task.split!r}, not in {split!r}")
            return task
        split = "train" if split is None else split
        size = self.tasks.size(split)
        if size == 0:
            raise UsageError(f"no tasks in split {split!r} of {self.id!r}; splits are {', '.join(SPLITS)}")
        return self.tasks.item(split, int(self.np_random.random() * (2**31 if size is None else size)))

    @classmethod
    def read_tasks(cls, path: str | Path) -> ListTaskset:
        """Tasks of the user's own from a JSON-lines file in the schema of ``task_row``.

        Raises:
            UsageError: names the file, the line and the field.
        """
        tasks = []
        for number, row in read_jsonl(path):
            try:
                tasks.append(cls.task_row.model_validate(row).to_task())
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"]) or "row"
                raise UsageError(f"{path}, line {number}: {where}: {first['msg']}") from error
            except UsageError as error:
                raise UsageError(f"{path}, line {number}: {error}") from error
        if not tasks:
            raise UsageError(f"{path} holds no task")
        try:
            return ListTaskset(tasks)
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from error


def _check_kinds(rubric: object, tasks: object, max_turns: object) -> None:
    """Whether a constructor's arguments are what they have to be; ``env.kwargs`` of a configuration may be anything."""
    if not isinstance(rubric, Rubric | None):
        raise UsageError(
            f"rubric must be a Rubric, not {rubric!r:.40}; a configuration changes it by 'rewards'"
        )
    if not isinstance(tasks, Taskset | None):
        raise UsageError(
            f"tasks must be a Taskset, not {tasks!r:.40}; a file of tasks goes by --tasks (env.tasks)"
        )
    if max_turns is not None and (not isinstance(max_turns, int) or max_turns < 1):
        raise UsageError(f"max_turns={max_turns!r:.40}; an episode has at least one turn")


def _check_made(env: TextEnv[Any]) -> None:
    """Whether an author's methods gave what they promise: else the first to notice is far away.

    Raises:
        UsageError: names the method, or the attribute, and what it should be.
    """
    name = type(env).__name__
    if not isinstance(env.tasks, Taskset):
        raise UsageError(
            f"{name}.make_tasks() gave {_what(env.tasks)}, not a Taskset; say rftgym.tasks.ListTaskset(tasks)"
        )
    if not isinstance(env.rubric, Rubric):
        raise UsageError(
            f"{name}.make_rubric() gave {_what(env.rubric)}, not a Rubric; say rftgym.Rubric([...], success=NAME)"
        )
    if not isinstance(env.parser, Parser):
        raise UsageError(
            f"{name}.parser is {_what(env.parser)}, not a Parser; say parser = rftgym.TagParser('answer')"
        )


def _what(value: object) -> str:
    """A value of a wrong kind, for an error."""
    if value is None:
        return "None (is a `return` missing?)"
    if inspect.iscoroutine(value):
        value.close()  # nobody will await it
        return "a coroutine (it must not be async)"
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"


def _begun(id: str, begun: Any) -> tuple[Any, str | tuple[Message, ...]]:
    """What ``begin`` returned, looked at."""
    if not isinstance(begun, tuple) or len(begun) != 2:
        raise ContractError(
            f"{id!r}: begin() gave {_what(begun)}; it returns two things: the state, and the first message"
        )
    state, opening = begun
    if isinstance(opening, str):
        return state, opening
    if isinstance(opening, Sequence) and all(isinstance(each, Message) for each in opening):
        return state, tuple(opening)
    given = f"a {type(opening).__name__} of other things" if isinstance(opening, Sequence) else _what(opening)
    raise ContractError(
        f"{id!r}: the first message is {given}; prompt() gives text, begin() text or rftgym.Message's"
    )


class MultiTurnEnv(TextEnv[StateT]):
    """An environment of several turns: write ``begin`` and ``respond``."""

    max_turns = 8


class SingleTurnEnv(TextEnv[None]):
    """An environment of one question and one answer: write ``prompt``."""

    @abstractmethod
    def prompt(self, task: Task) -> str:
        """The question."""

    def begin(self, task: Task, rng: Random) -> tuple[None, str]:
        """The prompt is all there is."""
        return None, self.prompt(task)

    def respond(self, state: None, turn: Turn, rng: Random) -> Response:
        """One answer ends the episode."""
        return Response(terminated=True)


register_installed()  # a program that imports an environment's own module first may go on to gymnasium.make()
