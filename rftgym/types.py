"""The records that everything passes around.

Plain dataclasses without dependencies. One record, :class:`Trajectory`, feeds every trainer, report and replay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["system", "user", "assistant"]
StopReason = Literal["eos", "stop", "length", "context", "error"]
"""Why a completion ended: end-of-sequence token, stop string, token budget, context window, or a failure."""
Stage = Literal["environment", "policy", "parser", "reward"]


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message, as text."""

    role: Role
    content: str

    def __init__(self, role: Role, content: str) -> None:
        _set_role(self, role)  # half the time that the generated one takes, which looks both up by name
        _set_content(self, content)


_set_role, _set_content = (vars(Message)[name].__set__ for name in ("role", "content"))


@dataclass(frozen=True, slots=True)
class Task:
    """One problem of a taskset.

    Attributes:
        id: stable and unique in its environment; never changes between releases.
        data: what the environment needs to pose and to judge the task (JSON values). May hold the answer: it is
            never shown to a policy.
        split: "train", "validation" or "test".
        difficulty: 0 (easy) to 1 (hard), or None where the author does not say.
    """

    id: str
    data: Mapping[str, Any]
    split: str = "train"
    difficulty: float | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one examination of the machine, for ``rftgym doctor``.

    Attributes:
        group: heading under which it is shown.
        ok: nothing is lacking here.
        detail: what was found.
        cure: the command or the step that would help; empty where ``ok``.
    """

    group: str
    name: str
    ok: bool
    detail: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a completion is drawn from the model's next-token distribution.

    Filters apply in the order temperature, top_k, top_p, min_p, each to what the former left.

    Attributes:
        temperature: logits are divided by it; 0 means greedy.
        top_p: smallest set of tokens with at least this probability mass; 1 switches it off.
        top_k: the k likeliest tokens; 0 switches it off.
        min_p: tokens at least this share of the likeliest token's probability; 0 switches it off.
        max_tokens: per completion.
        stop: the completion ends with the first of these strings.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that went wrong in an episode, kept as data.

    Attributes:
        stage: where it happened.
        name: the component, environment or policy that failed.
        kind: the exception's class name, or "Timeout".
        message: one line for a person.
        attempts: how often it was tried.
        infrastructure: the fault is the machine's, not the answer's.
    """

    stage: Stage
    name: str
    kind: str
    message: str
    attempts: int = 1
    infrastructure: bool = False


@dataclass(slots=True)
class Turn:
    """One completion of the policy, what was said to it before, and what the environment made of it.

    Attributes:
        messages: messages that are new since the policy's last completion (system and user only).
        completion: the text that was sampled, without the end-of-sequence token.
        prompt_ids: tokens appended before sampling (environment tokens); empty for policies without tokens.
        completion_ids: tokens as sampled, end-of-sequence token included when it was sampled.
        logprobs: natural log-probabilities of ``completion_ids`` under the sampler's temperature-scaled
            distribution, before top-k/top-p/min-p filtering; same length, or empty.
        answer: what the parser found in the completion; None where it found nothing.
        well_formed: the completion follows the parser's format to the letter.
        info: facts that the environment states about this turn (JSON values), for rewards and reports.
        rewards: per-turn component values by name; None = cannot be scored.
        seconds: wall-clock time, by stage ("policy", "environment").
    """

    messages: tuple[Message, ...]
    completion: str
    prompt_ids: tuple[int, ...] = ()
    completion_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    stop_reason: StopReason = "eos"
    answer: Any = None
    well_formed: bool = True
    info: dict[str, Any] = field(default_factory=dict)
    rewards: dict[str, float | None] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Score:
    """What a rubric made of a trajectory.

    Attributes:
        reward: the composed reward; None = cannot be scored (masked out of an update, never 0).
        success: None where the reward is None.
        components: value by component name, before weights; None = that component cannot be scored.
    """

    reward: float | None
    success: bool | None
    components: dict[str, float | None]


@dataclass(slots=True)
class Trajectory:
    """One episode, token-exact: what was sampled is what is trained on.

    Attributes:
        env: environment id.
        task: the task that was posed.
        seed: of the episode; the same task, seed and completions replay the same episode.
        group: episodes of one group share task and seed; advantages are taken within it.
        sample: index inside the group.
        policy: policy id; ``policy_version`` counts the updates its weights had seen.
        turns: in order.
        closing: what the environment said after the last completion.
        terminated: the episode reached an end of the task (won, lost, answered).
        truncated: it was cut: turn or token limit, or a failure.
        failures: everything that went wrong, by stage.
        score: None until a rubric scored it.
    """

    env: str
    task: Task
    seed: int
    group: str = ""
    sample: int = 0
    policy: str = ""
    policy_version: int = 0
    turns: list[Turn] = field(default_factory=list)
    closing: tuple[Message, ...] = ()
    terminated: bool = False
    truncated: bool = False
    failures: list[Failure] = field(default_factory=list)
    score: Score | None = None

    @property
    def messages(self) -> Iterator[Message]:
        """The conversation as text, in order, ``closing`` included."""
        for turn in self.turns:
            yield from turn.messages
            yield Message("assistant", turn.completion)
        yield from self.closing

    @property
    def token_ids(self) -> list[int]:
        """Every token in order: the first turn's prompt, then completions and environment tokens by turns."""
        return [
            token for turn in self.turns for ids in (turn.prompt_ids, turn.completion_ids) for token in ids
        ]

    @property
    def model_mask(self) -> list[int]:
        """Same length as ``token_ids``: 1 = sampled by the model, 0 = written by the environment."""
        return [
            bit for turn in self.turns for bit in [0] * len(turn.prompt_ids) + [1] * len(turn.completion_ids)
        ]

    @property
    def reward(self) -> float | None:
        """The composed reward; None while unscored or unscorable."""
        return None if self.score is None else self.score.reward
