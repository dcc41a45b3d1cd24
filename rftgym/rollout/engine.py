"""The rollout engine: policy x environments -> trajectories, in batches.

Environments that step quickly are played in lockstep: every row of a batch decodes, then every environment
steps. Slow ones (``TextEnv.slow``) step in threads while other rows decode. In both ways it is token counts
alone that decide which rows decode together, never the clock, so the same seeds give the same tokens on a slow
day too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

from rftgym.env import TextEnv
from rftgym.errors import ContractError, InfrastructureError
from rftgym.policy import Policy, Reply, Request
from rftgym.rollout.metrics import rollout_metrics
from rftgym.types import Failure, Message, Sampling, Stage, Task, Trajectory, Turn

__all__ = ["OVERLAP_STEPS", "completion_seed", "play", "rollout_metrics"]

OVERLAP_STEPS = 16
"""Tokens that rows decode between two moments at which rows of slow environments may join them."""
MAX_THREADS = 32
"""Slow environments that step at once."""


def play(
    env: TextEnv[Any],
    policy: Policy,
    sampling: Sampling,
    *,
    tasks: Sequence[Task],
    seeds: Sequence[int],
    group_size: int = 1,
    label: str = "",
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Trajectory]:
    """Play ``group_size`` episodes of each task.

    What goes wrong in an episode (an exception of the environment, a completion that failed) ends that episode
    as truncated, with the reason in ``failures``; the others go on.

    Args:
        env: is spawned for every episode; each twin is closed when its episode is over.
        tasks: one a group; ``seeds``: the episode seed of each group, same length.
        label: of the batch; group ``i`` is called ``label/i``.
        on_progress: called with (episodes over, episodes in all).
    Returns:
        len(tasks) * group_size unscored trajectories, group by group.
    Raises:
        ValueError: tasks and seeds differ in number, or the group size is below 1.
        ContractError: the policy answered what it was not asked, or not at all.
    """
    if len(tasks) != len(seeds) or group_size < 1:
        raise ValueError(
            f"{len(tasks)} tasks, {len(seeds)} seeds and groups of {group_size} do not fit together"
        )
    episodes = [
        _Episode(env, policy, task, seed, f"{label}/{index}" if label else str(index), sample)
        for index, (task, seed) in enumerate(zip(tasks, seeds, strict=True))
        for sample in range(group_size)
    ]
    rows = max(1, policy.max_rows // group_size) * group_size
    play_batch = _play_overlapped if env.slow else _play_lockstep
    for first in range(0, len(episodes), rows):

        def report(over: int, first: int = first) -> None:
            if on_progress is not None:
                on_progress(first + over, len(episodes))

        play_batch(_Batch(policy, sampling, episodes[first : first + rows], report))
    return [episode.trajectory for episode in episodes]


def completion_seed(seed: int, sample: int, turn: int) -> int:
    """The seed of one completion's draws: 63 bits of BLAKE2b over ``"seed:sample:turn"``.

    Args:
        seed: of the episode; ``sample``: its index in the group; ``turn``: how many completions came before.
    """
    digest = hashlib.blake2b(b"%d:%d:%d" % (seed, sample, turn), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def _play_lockstep(batch: _Batch) -> None:
    stepped = [episode.begin() for episode in batch.episodes]
    while batch.submit(stepped) or batch.decoding:
        stepped = [batch.episodes[reply.row].take(reply) for reply in batch.run()]


def _play_overlapped(batch: _Batch) -> None:
    """Environments step in threads while other rows decode.

    An environment that got a completion at one boundary of ``OVERLAP_STEPS`` tokens rejoins at the next, early
    or late: the engine waits for it. So a batch is made up the same way however long an environment took.
    """
    pool = ThreadPoolExecutor(min(MAX_THREADS, len(batch.episodes)), thread_name_prefix="rftgym-env")
    try:
        stepping = [pool.submit(episode.begin) for episode in batch.episodes]
        while stepping or batch.decoding:
            replies = batch.run(OVERLAP_STEPS) if batch.decoding else []
            batch.submit([future.result() for future in stepping])
            stepping = [pool.submit(batch.episodes[reply.row].take, reply) for reply in replies]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # nobody waits for a slow environment after Ctrl-C


class _Batch:
    """The rows that share one set of conversations; ``decoding`` are those that owe a reply."""

    def __init__(
        self,
        policy: Policy,
        sampling: Sampling,
        episodes: list[_Episode],
        on_progress: Callable[[int], None],
    ) -> None:
        self.episodes = episodes
        for row, episode in enumerate(episodes):
            episode.row = row
        self.decoding: set[int] = set()
        self._policy = policy
        self._conversations = policy.open(sampling)
        self._over = 0
        self._on_progress = on_progress

    def submit(self, stepped: Sequence[_Episode]) -> bool:
        """Queue what these episodes ask for and release those that ended; False when nobody asks for anything."""
        now = perf_counter()
        asking = [episode for episode in stepped if not episode.is_over]
        for episode in asking:
            episode.asked = now
        if asking:
            self.decoding.update(episode.row for episode in asking)
            self._conversations.submit([episode.request() for episode in asking])
        over = [episode.row for episode in stepped if episode.is_over]
        if over:
            self._conversations.release(over)
            self._over += len(over)
            self._on_progress(self._over)
        return bool(asking)

    def run(self, steps: int | None = None) -> list[Reply]:
        """Decode until all rows are finished, or for ``steps`` tokens.

        Raises:
            ContractError: a reply to no request; or none although it was asked to finish.
        """
        replies = self._conversations.run(steps)
        strangers = {reply.row for reply in replies} - self.decoding
        if strangers or (steps is None and not replies):
            what = f"answered rows {sorted(strangers)}, which asked nothing" if strangers else "gave no reply"
            raise ContractError(f"policy {self._policy.id!r}: run({steps}) {what}")
        now = perf_counter()
        for reply in replies:
            self.decoding.discard(reply.row)
            self.episodes[reply.row].answered = now
        return replies


class _Episode:
    """One row: an environment, and what is to be said to the policy next.

    Attributes:
        row: its number in its batch.
        asked: when the last request went to the policy (``perf_counter``); ``answered``: when its reply came.
        is_over: there will be no further request.
    """

    def __init__(
        self, env: TextEnv[Any], policy: Policy, task: Task, seed: int, group: str, sample: int
    ) -> None:
        self.row = 0
        self.asked = self.answered = 0.0
        self.is_over = False
        self.trajectory = Trajectory(env.id, task, seed, group, sample)
        self._template: TextEnv[Any] = env
        self._env: TextEnv[Any] | None = None
        self._policy = policy
        self._messages: tuple[Message, ...] = ()
        self._opening_seconds = 0.0

    def request(self) -> Request:
        """What it asks of the policy now."""
        trajectory = self.trajectory
        seed = completion_seed(trajectory.seed, trajectory.sample, len(trajectory.turns))
        return Request(self.row, self._messages, seed)

    def begin(self) -> _Episode:
        """Start the environment."""
        started = perf_counter()
        given = self.trajectory
        messages: tuple[Message, ...] = ()
        try:
            self._env = self._template.spawn()
            messages = self._env.start(given.task, given.seed, group=given.group, sample=given.sample)
            self.trajectory = self._env.trajectory
        except (Exception, SystemExit) as error:  # noqa: BLE001  # its author may raise anything; all of it becomes data
            self._fail("environment", self._template.id, error)
        self.trajectory.policy, self.trajectory.policy_version = self._policy.id, self._policy.version
        self._opening_seconds = perf_counter() - started
        return self._go_on(messages)

    def take(self, reply: Reply) -> _Episode:
        """Give a reply to the environment, and take in what it says."""
        if reply.stop_reason == "context" and not (reply.completion or reply.completion_ids or reply.failure):
            return self._run_out_of_room()
        ids = (reply.prompt_ids, reply.completion_ids, reply.logprobs)
        turn = Turn((), reply.completion, *ids, reply.stop_reason)
        turn.seconds["policy"] = self.answered - self.asked
        if reply.failure is not None:
            return self._break_off(turn, reply.failure)
        started = perf_counter()
        messages = self._advance(turn)
        turn.seconds["environment"] = perf_counter() - started + self._opening_seconds
        self._opening_seconds = 0.0
        trajectory = self.trajectory
        if reply.stop_reason == "context" and not (trajectory.terminated or trajectory.truncated):
            trajectory.truncated = True  # the next observation would find no room either
            trajectory.closing = messages
        return self._go_on(messages)

    def _advance(self, turn: Turn) -> tuple[Message, ...]:
        trajectory = self.trajectory
        assert self._env is not None  # noqa: S101  # a reply answers a request, and begin() made the first of these
        try:
            return self._env.advance(turn)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # as in begin()
            if trajectory.turns and trajectory.turns[-1] is turn:
                self._fail("environment", trajectory.env, error)
            else:  # an environment takes a turn in once it is parsed: so this came from the parser
                self._keep(turn)
                self._fail("parser", type(self._env.parser).__name__, error)
            return ()

    def _break_off(self, turn: Turn, failure: Failure) -> _Episode:
        """End the episode with a completion that failed, and keep what there is of it."""
        turn.stop_reason = "error"
        self._keep(turn)
        self.trajectory.failures.append(failure)
        self.trajectory.truncated = True
        return self._go_on(())

    def _run_out_of_room(self) -> _Episode:
        """End the episode because its next prompt fills the model's context window.

        That is the episode's length and no failure, unless not even the first prompt fits.
        """
        self.trajectory.truncated = True
        self.trajectory.closing = self._messages
        if not self.trajectory.turns:
            message = "the first prompt leaves no room for a completion in the model's context window"
            self.trajectory.failures.append(Failure("policy", self._policy.id, "ContextOverflow", message))
        return self._go_on(())

    def _keep(self, turn: Turn) -> None:
        """Record a turn that the environment did not take."""
        turn.messages, turn.answer, turn.well_formed = self._messages, None, False
        self.trajectory.turns.append(turn)

    def _go_on(self, messages: tuple[Message, ...]) -> _Episode:
        trajectory = self.trajectory
        if not (trajectory.terminated or trajectory.truncated) and (fault := _unfit(messages)):
            self._fail("environment", trajectory.env, ContractError(fault))
        self._messages = messages
        if trajectory.terminated or trajectory.truncated:
            self._close()
        return self

    def _close(self) -> None:
        env, self._env = self._env, None
        self.is_over = True
        try:
            if env is not None:
                env.close()
        except (Exception, SystemExit) as error:  # noqa: BLE001  # as in begin()
            self._fail("environment", self.trajectory.env, error)

    def _fail(self, stage: Stage, name: str, error: Exception | SystemExit) -> None:
        message = " ".join(str(error).split()) or "(no message)"
        infrastructure = isinstance(error, InfrastructureError | ConnectionError)
        failure = Failure(stage, name, type(error).__name__, message[:500], infrastructure=infrastructure)
        self.trajectory.failures.append(failure)
        self.trajectory.truncated = not self.trajectory.terminated


def _unfit(messages: Sequence[Message]) -> str:
    """Why no policy can answer what an environment said; "" where it can."""
    if not messages:
        return "said nothing though the episode goes on; give an observation, or terminate it"
    contents: list[Any] = [message.content for message in messages]  # what an author made it
    for content in contents:
        if not isinstance(content, str):
            return f"said {content!r:.80}, which is no text"
        try:
            content.encode()
        except UnicodeEncodeError as error:
            return f"said half a character (the lone surrogate U+{ord(content[error.start]):04X})"
    return ""
