"""Our environments in a script that uses ``trl.GRPOTrainer`` itself; docs/adapters/trl.md shows such scripts whole.

:func:`dataset` and :func:`reward_funcs` are all that environments of one turn need. Those of several turns play their
episodes in :func:`rollout_func`, or, where the model's chat template knows tools, as tools of an
:func:`environment_factory`. What cannot be scored is None for every reward function, which TRL leaves out of the
update.

Nothing of TRL is imported here: functions and objects are what it takes. Written for TRL 1.16, whose
``rollout_func`` and ``environment_factory`` are experimental; ``tests/test_adapter_trl.py`` trains with each of
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rftgym.adapters.episodes import advanced, is_over, started
from rftgym.adapters.trl_episodes import Chat, Env, PayingTools, Play, Tools, tell
from rftgym.errors import UsageError
from rftgym.evaluation import episode_seed
from rftgym.mix import MixedRubric
from rftgym.registry import make
from rftgym.scoring import score_trajectories
from rftgym.types import Message, Score, Trajectory, Turn

if TYPE_CHECKING:
    import datasets

RewardFunction = Callable[..., list[float | None]]


def dataset(
    env: str | Env, split: str = "train", n: int = 256, seed: int = 0, *, text: bool = False
) -> datasets.Dataset:
    """Tasks as rows: "prompt" (the first messages), "task" (its id) and "seed" (of the episode).

    Args:
        env: an id, or an environment.
        n: rows; a finite split is gone through again where it has fewer.
        seed: of the order of the tasks and of the episodes.
        text: prompts are plain text, for models without a chat template. Not for :func:`rollout_func`.

    Raises:
        UsageError: an unknown id, an empty split, or ``n`` below 1.
    """
    import datasets

    if n < 1:
        raise UsageError(f"n={n}: a dataset has at least one row")
    playing = _environment(env).spawn()
    rows: list[dict[str, Any]] = []
    for index, task in enumerate(playing.tasks.sample(split, n, seed)):
        of_row = episode_seed(seed, index)
        row = {"task": task.id, "seed": of_row}
        messages = playing.start(task, of_row)
        # The messages carry the row's task, since a rollout_func is told the prompts and nothing else.
        talk = [{"role": each.role, "content": each.content, **row} for each in messages]
        rows.append({"prompt": _as_text(messages) if text else talk, **row})
    return datasets.Dataset.from_list(rows)


def reward_funcs(env: str | Env) -> list[RewardFunction]:
    """One reward function a component, named like it; :func:`reward_weights` gives the weights, in the same order.

    Where weights and sums cannot say what the rubric does (a product, a clip, a mix of environments), the first
    function is "reward", the whole of it, and the components behind it have weight 0: they are logged.

    The functions score a batch once, together. Failures are logged, and kept in the column "failures" of TRL's
    table of completions; an answer that cannot be scored is None for every function, so that TRL leaves it out. The
    dataset has to have the columns of :func:`dataset`, unless the episodes come from :func:`rollout_func` or
    :func:`environment_factory`.
    """
    made = _environment(env)
    scorer = _Scorer(made)
    functions = [
        _reward_function(name, scorer, lambda score, name=name: score.components.get(name))  # type: ignore[misc]
        for name in made.rubric.measures
    ]
    whole = [] if _adds_up(made) else [_reward_function("reward", scorer, lambda score: score.reward)]
    return [*whole, *functions]


def reward_weights(env: str | Env) -> list[float]:
    """The weights for ``GRPOConfig(reward_weights=...)``, in the order of :func:`reward_funcs`."""
    rubric = (made := _environment(env)).rubric
    return list(rubric.weights.values()) if _adds_up(made) else [1.0, *[0.0] * len(rubric.measures)]


def rollout_func(env: str | Env) -> Callable[[Sequence[Any], Any], dict[str, Any]]:
    """Plays episodes of several turns with the trainer's model, for ``GRPOTrainer(rollout_func=...)``.

    An episode is one sequence: what the model wrote, token by token, and between that the environment's messages,
    which ``env_mask`` keeps out of the loss. ``max_completion_length`` is the budget of the whole episode; where it
    is used up, the episode is truncated and judged as it is. Take :func:`reward_funcs` of the same environment.
    """
    made = _environment(env)

    def rollout(prompts: Sequence[Any], trainer: Any) -> dict[str, Any]:
        chat = Chat(trainer)
        plays = [Play.of(made, prompt, chat) for prompt in prompts]
        while waiting := [play for play in plays if not is_over(play.episode)]:
            completions, _ = trainer._generate_single_turn(  # what TRL's own loop over tools calls
                [play.prompt_ids + play.ids for play in waiting], None, {}, num_generations=1
            )
            for play, ids in zip(waiting, completions, strict=True):
                play.take(list(ids), chat)
        for play in plays:
            play.env.close()
        return {
            "prompt_ids": [play.prompt_ids for play in plays],
            "completion_ids": [play.ids for play in plays],
            "logprobs": None,
            "env_mask": [play.mask for play in plays],
            "trajectory": [play.episode for play in plays],
        }

    return rollout


def environment_factory(env: str | Env, *, owns_reward: bool = True) -> Callable[[], Any]:
    """Makes environments that a model plays by calling the tool ``act``, for ``GRPOTrainer(environment_factory=...)``.

    The model's chat template must know tools (TRL refuses others, SmolLM2's among them), and the rows must come from
    :func:`dataset`: TRL gives no seed to ``reset``, and the siblings of a group share their row.

    Args:
        owns_reward: the environment pays by itself, logged under its name. False to pay by :func:`reward_funcs`.
    """
    made = _environment(env)
    base = PayingTools if owns_reward else Tools
    kind = type(made.id, (base,), {"__doc__": base.__doc__})
    return lambda: kind(made.spawn())


# ------------------------------------------------------------------------------------------------------------- scores


def _environment(env: str | Env) -> Env:
    return make(env) if isinstance(env, str) else env


def _adds_up(env: Env) -> bool:
    """Whether the reward is the weighted sum of the components, which is all that TRL can make of them."""
    rubric = env.rubric
    return not isinstance(rubric, MixedRubric) and rubric.combine == "sum" and rubric.clip is None


def _reward_function(name: str, scorer: _Scorer, value: Callable[[Score], float | None]) -> RewardFunction:
    def function(prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float | None]:
        scores = [trajectory.score for trajectory in scorer.scored(completions, columns)]
        # None for every function where one cannot say: TRL would add up what is left as if the rest were 0.
        return [None if score is None or score.reward is None else value(score) for score in scores]

    function.__name__ = function.__qualname__ = name
    return function


@dataclass
class _Scorer:
    """Scores a batch when the first of the functions asks for it, and remembers it for the others."""

    env: Env
    last: tuple[Any, Any, list[Trajectory]] = (None, None, [])

    def scored(self, completions: Sequence[Any], columns: Mapping[str, Any]) -> list[Trajectory]:
        rows = (columns.get("task"), columns.get("seed"))
        if (
            self.last[0] is not completions or self.last[1] != rows
        ):  # TRL hands the same list to all functions
            trajectories = self._played(completions, columns)
            score_trajectories(self.env.rubric, trajectories)
            tell(trajectories, columns)
            self.last = (completions, rows, trajectories)
        return self.last[2]

    def _played(self, completions: Sequence[Any], columns: Mapping[str, Any]) -> list[Trajectory]:
        if "trajectory" in columns:
            return list(columns["trajectory"])
        if columns.get("environments"):
            return [tools._ended() for tools in columns["environments"]]
        if self.env.max_turns > 1:
            raise UsageError(
                f"environment {self.env.id!r} has up to {self.env.max_turns} turns: give GRPOTrainer "
                "a rollout_func or an environment_factory from rftgym.adapters.trl"
            )
        if "task" not in columns or "seed" not in columns:
            raise UsageError(
                "the dataset has no columns 'task' and 'seed': make it by rftgym.adapters.trl.dataset"
            )
        rows = zip(completions, columns["task"], columns["seed"], strict=True)
        return [self._answered(_said(completion), task, seed) for completion, task, seed in rows]

    def _answered(self, text: str, task: str, seed: int) -> Trajectory:
        env = self.env.spawn()
        try:
            episode, _ = started(env, env.tasks.by_id(task), seed)
            if not is_over(episode):
                advanced(env, Turn((), text))
            return episode
        finally:
            env.close()


def _said(completion: Any) -> str:
    if isinstance(completion, str):
        return completion
    return str(completion[-1].get("content") or "")


def _as_text(messages: Iterable[Message]) -> str:
    return "\n\n".join(message.content for message in messages) + "\n"
