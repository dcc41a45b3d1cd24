"""Whole episodes inside TRL's trainers: as one sequence of tokens, or by a tool that the model calls.

What :mod:`rftgym.adapters.trl` gives to trainers is made of these.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rftgym.adapters.episodes import advanced, is_over, started
from rftgym.env import TextEnv
from rftgym.errors import UsageError
from rftgym.scoring import score_trajectories
from rftgym.types import Message, Trajectory, Turn

Env = TextEnv[Any]
_LOG = logging.getLogger("rftgym.adapters.trl")
_OVER = "The episode is over."
_ENDLESS = 2**31
_MARK = "\x02"
"""Stands around a content while a chat template is looked at; no template writes it."""


def tell(trajectories: Sequence[Trajectory], columns: Mapping[str, Any]) -> None:
    """Log failures, each kind once, and hand them to TRL's table."""
    told: dict[tuple[str, str, str], int] = {}
    for failure in (failure for each in trajectories for failure in each.failures):
        key = (failure.stage, failure.name, f"{failure.kind}: {failure.message}")
        told[key] = told.get(key, 0) + 1
    for (stage, name, what), times in told.items():
        _LOG.warning("%s %r failed in %d of %d episodes: %s", stage, name, times, len(trajectories), what)
    if "log_extra" in columns:
        columns["log_extra"](
            "failures",
            ["; ".join(f"{f.stage} {f.name}: {f.message}" for f in each.failures) for each in trajectories],
        )
    if "log_metric" in columns:
        unscored = sum(each.reward is None for each in trajectories)
        columns["log_metric"]("unscorable", unscored / max(1, len(trajectories)))


class Chat:
    """The trainer's tokenizer: what stands before a completion, in tokens."""

    def __init__(self, trainer: Any) -> None:
        self.tokenizer: Any = getattr(trainer.processing_class, "tokenizer", trainer.processing_class)
        self.budget: int = trainer.max_completion_length or _ENDLESS
        self.context: int = getattr(trainer.model.config, "max_position_embeddings", None) or _ENDLESS
        self.ends = frozenset(trainer.eos_token_ids)
        self._settings = {"chat_template": trainer.chat_template, **trainer.chat_template_kwargs}
        self._between: tuple[str, str] | None = None

    def opening(self, prompt: Sequence[Mapping[str, Any]]) -> list[int]:
        """Of the first messages."""
        messages = [{"role": each["role"], "content": each["content"]} for each in prompt]
        text = self._rendered(messages, go_on=True)
        return self._ids(text)

    def reply(self, messages: Sequence[Message], last: int) -> list[int]:
        """Of an environment's messages after a completion whose last token is given.

        Where that is the end of a turn, the template's own is left out.
        """
        before, after = self._around()
        if last in self.ends:
            end = str(self.tokenizer.decode([last]))
            before = before.lstrip().removeprefix(end) if before.lstrip().startswith(end) else before
        content = "\n\n".join(message.content for message in messages)
        inside = self.tokenizer(content, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        return self._ids(before) + list(inside) + self._ids(after)

    def text(self, ids: Sequence[int]) -> str:
        """A completion as the environment reads it."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True))

    def _around(self) -> tuple[str, str]:
        """What the template writes before and after a user's message that follows a completion."""
        if self._between is None:
            talk = [
                {"role": role, "content": f"{_MARK}{role}{_MARK}"} for role in ("user", "assistant", "user")
            ]
            pieces = self._rendered(talk, go_on=True).split(_MARK)
            if pieces[1::2] != ["user", "assistant", "user"]:
                raise UsageError(
                    "the chat template does not repeat three messages in order; rollout_func cannot use it"
                )
            self._between = pieces[4], pieces[6]
        return self._between

    def _rendered(self, messages: list[dict[str, str]], *, go_on: bool) -> str:
        return str(
            self.tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=go_on, **self._settings
            )
        )

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


@dataclass
class Play:
    """One episode as one sequence of tokens."""

    env: Env
    episode: Trajectory
    prompt_ids: list[int]
    ids: list[int] = field(default_factory=list)
    mask: list[int] = field(default_factory=list)
    new: tuple[int, ...] = ()

    @classmethod
    def of(cls, env: Env, prompt: Any, chat: Chat) -> Play:
        if isinstance(prompt, str) or "task" not in prompt[-1]:
            raise UsageError(
                "rollout_func plays the rows of rftgym.adapters.trl.dataset(env), whose messages name their task"
            )
        twin = env.spawn()
        episode, _ = started(twin, twin.tasks.by_id(prompt[-1]["task"]), prompt[-1]["seed"])
        ids = chat.opening(prompt)
        play = cls(twin, episode, ids, new=tuple(ids))
        if is_over(episode):  # TRL takes no empty completion
            play._append(sorted(chat.ends)[:1], 0)
        return play

    def take(self, ids: list[int], chat: Chat) -> None:
        """A completion, and the environment's answer to it."""
        ids = ids[: chat.budget - len(self.ids)]
        self._append(ids, 1)
        ended = bool(ids) and ids[-1] in chat.ends
        turn = Turn((), chat.text(ids), self.new, tuple(ids), stop_reason="eos" if ended else "length")
        messages = advanced(self.env, turn)
        if is_over(self.episode):
            return
        reply = chat.reply(messages, ids[-1])
        length = len(self.ids) + len(reply)
        if length >= chat.budget or len(self.prompt_ids) + length >= chat.context:
            self.episode.truncated = True
            return
        self.new = tuple(reply)
        self._append(reply, 0)

    def _append(self, ids: list[int], bit: int) -> None:
        self.ids += ids
        self.mask += [bit] * len(ids)


class Tools:
    """An episode that a model plays by calling a tool. TRL takes every public method for a tool, so there is one."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._episode: Trajectory | None = None

    def reset(self, task: str | None = None, seed: int | None = None, **row: Any) -> None:
        """Start the episode of a row; its prompt holds what the environment says first."""
        if task is None or seed is None:
            raise UsageError(
                "TRL gives no seed to an environment: train on rftgym.adapters.trl.dataset(env), whose rows "
                "name their task and seed"
            )
        self._episode, _ = started(self._env, self._env.tasks.by_id(task), seed)

    def act(self, text: str) -> str:
        """Say something to the environment, in the form that it asked for.

        Args:
            text: what to say, for example a move or an answer.

        Returns:
            What the environment answers.
        """
        episode = self._playing()
        if is_over(episode):
            return _OVER
        messages = advanced(self._env, Turn((), str(text)))
        said = "\n\n".join(message.content for message in messages)
        return f"{said}\n{_OVER}".strip() if is_over(episode) else said

    def _ended(self) -> Trajectory:
        """The episode, ended where it is; a model that never called the tool has said nothing."""
        episode = self._playing()
        if not (episode.turns or is_over(episode)):
            advanced(self._env, Turn((), ""))
        if not episode.terminated:
            episode.truncated = True
        return episode

    def _playing(self) -> Trajectory:
        if self._episode is None:
            raise UsageError("no episode yet: call reset() first")
        return self._episode


class PayingTools(Tools):
    """The same, paid by the environment itself."""

    def get_reward(self) -> float | None:
        """The composed reward; None where it cannot be scored."""
        trajectory = self._ended()
        score_trajectories(self._env.rubric, [trajectory])
        tell([trajectory], {})
        return trajectory.reward
