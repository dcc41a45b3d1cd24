"""Plain ``trl.GRPOTrainer`` scripts on environments of ours, with real trainers on models that take a second."""

from __future__ import annotations

import copy
import logging
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

pytest.importorskip("trl", reason="pip install trl")
import numpy as np
import torch
import trl
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

import rftgym
from rftgym.adapters.trl import dataset, environment_factory, reward_funcs, reward_weights, rollout_func
from rftgym.errors import UsageError
from rftgym.tasks import ListTaskset

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


# ------------------------------------------------------------------------------------------------------- environments


@rftgym.reward(weight=0.25)
def short(completion: str) -> float:
    return max(0.0, 1 - len(completion) / 100)


@rftgym.reward()
def correct(answer: str | None, task: rftgym.Task) -> float | None:
    if answer == "unjudgeable":
        return None
    if answer == "broken":
        raise ValueError("this answer breaks the judge")
    return float(answer == task.data["word"][::-1])


@rftgym.reward(weight=0.0)
def letters(completion: str) -> float:
    return float(completion.isalpha())


class Reverse(rftgym.SingleTurnEnv):
    """Write a word backwards."""

    def make_tasks(self) -> ListTaskset:
        return ListTaskset(rftgym.Task(word, {"word": word}) for word in ("abc", "defg", "hij"))

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([short, correct, letters], success="correct")

    def prompt(self, task: rftgym.Task) -> str:
        return f"Write {task.data['word']} backwards."


@rftgym.reward()
def found(turn: rftgym.Turn) -> float:
    return float(turn.info.get("hint") == "found")


class HigherLower(rftgym.MultiTurnEnv[int]):
    """Find a number between 1 and 9; one of them breaks."""

    max_turns = 4
    system = "Be brief."

    def make_tasks(self) -> ListTaskset:
        return ListTaskset(rftgym.Task(str(n), {"number": n}) for n in range(1, 10))

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([found], success="found")

    broken_starts: frozenset[str] = frozenset()

    def begin(self, task: rftgym.Task, rng: Random) -> tuple[int, str]:
        if task.id in self.broken_starts:
            raise RuntimeError("the environment does not get up")
        return task.data["number"], "Guess a number from 1 to 9."

    def respond(self, state: int, turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        if turn.answer == "crash":
            raise RuntimeError("the environment fell over")
        guess = int(turn.answer) if (turn.answer or "").isdecimal() else 0
        hint = "found" if guess == state else "higher <|im_end|>" if guess < state else "lower <|im_end|>"
        return rftgym.Response(hint, terminated=hint == "found", info={"hint": hint})


# ------------------------------------------------------------------------------------------------ models and trainers


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """One token a byte, and ChatML's."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    specials = ["<|im_end|>", "<|im_start|>", "<pad>"]
    vocabulary = {symbol: index for index, symbol in enumerate([*alphabet, *specials])}
    bytes_only = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    bytes_only.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_only.decoder = decoders.ByteLevel()
    bytes_only.add_special_tokens(specials)
    made = PreTrainedTokenizerFast(
        tokenizer_object=bytes_only, eos_token="<|im_end|>", pad_token="<pad>", padding_side="left"
    )
    made.chat_template = CHATML
    return made


class Scripted(LlamaForCausalLM):
    """A real model, whose completions are written by the test: text by text that it has read so far."""

    def say(self, tokenizer: Any, script: Callable[[str], str]) -> None:
        self.script, self.tokenizer = script, tokenizer

    def generate(self, input_ids: Any, **kwargs: Any) -> Any:
        pad, end = self.tokenizer.pad_token_id, self.tokenizer.eos_token_id
        rows = []
        for row in input_ids.tolist():
            said = self.script(self.tokenizer.decode([i for i in row if i != pad]))
            rows.append([*self.tokenizer(said, add_special_tokens=False)["input_ids"], end])
        longest = max(map(len, rows))
        tail = torch.tensor([row + [pad] * (longest - len(row)) for row in rows])
        return torch.cat([input_ids.cpu(), tail], dim=1)


def model(tokenizer: Any, script: Callable[[str], str] | None = None) -> Any:
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=2048, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)  # noqa: TID251  # the weights of a model of a test
        made = Scripted(config) if script else LlamaForCausalLM(config)
    if script:
        made.say(tokenizer, script)
    return made


def train(
    tokenizer: Any, folder: Path, rows: Any, llm: Any, *, length: int | None = 24, **arguments: Any
) -> Any:
    """Two steps of a real GRPOTrainer; returns it."""
    weights = arguments.pop("reward_weights", None)
    args = trl.GRPOConfig(
        output_dir=str(folder), max_steps=2, per_device_train_batch_size=4, num_generations=4,
        max_completion_length=length, learning_rate=1e-2, logging_steps=1, report_to=[], bf16=False, use_cpu=True,
        gradient_checkpointing=False, disable_tqdm=True, save_strategy="no", reward_weights=weights,
    )  # fmt: skip
    trainer = trl.GRPOTrainer(
        model=llm, args=args, train_dataset=rows, processing_class=tokenizer, **arguments
    )
    trainer.train()
    return trainer


def logged(trainer: Any) -> list[dict[str, float]]:
    return [line for line in trainer.state.log_history if "loss" in line]


def in_turn(texts: Sequence[str]) -> Callable[[str], str]:
    """A script that says one text after the other, whatever it read."""
    left: list[str] = []

    def script(read: str) -> str:
        if not left:
            left.extend(texts)
        return left.pop(0)

    return script


# ----------------------------------------------------------------------------------------------------------- one turn


class TestDataset:
    def test_rows_are_prompts_tasks_and_seeds(self) -> None:
        rows = dataset(HigherLower(), n=12, seed=3)
        assert [message["role"] for message in rows[0]["prompt"]] == ["system", "user"]
        assert rows[0]["prompt"][1]["content"] == "Guess a number from 1 to 9."
        assert sorted(rows["task"][:9]) == [str(n) for n in range(1, 10)]
        assert rows[0] == dataset(HigherLower(), n=12, seed=3)[0]
        assert rows["seed"] != dataset(HigherLower(), n=12, seed=4)["seed"]

    def test_plain_text_for_models_without_a_template(self) -> None:
        assert dataset(Reverse(), n=3, text=True)[0]["prompt"].startswith("Write ")

    def test_installed_environments_go_by_id(self) -> None:
        assert "Green: _____" in dataset("wordle", n=1)[0]["prompt"][-1]["content"]

    def test_what_cannot_be_is_said(self) -> None:
        with pytest.raises(UsageError, match="at least one row"):
            dataset(Reverse(), n=0)
        with pytest.raises(UsageError, match="no tasks in split 'test'"):
            dataset(Reverse(), split="test")


class TestRewardFunctions:
    def columns(self, n: int = 1) -> dict[str, Any]:
        return {"prompts": ["Write abc backwards."] * n, "task": ["abc"] * n, "seed": [1] * n}

    def test_one_a_component_with_its_name_and_weight(self) -> None:
        functions = reward_funcs(Reverse())
        assert [function.__name__ for function in functions] == ["short", "correct", "letters"]
        assert reward_weights(Reverse()) == [0.25, 1.0, 0.0]
        assert [f(completions=["cba"], **self.columns()) for f in functions] == [[0.97], [1.0], [1.0]]

    def test_they_read_messages_too(self) -> None:
        (_, function, _) = reward_funcs(Reverse())
        answer = [[{"role": "assistant", "content": "cba"}]]
        assert function(completions=answer, **self.columns()) == [1.0]

    def test_what_cannot_be_scored_is_none_everywhere_and_told(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        functions = reward_funcs(Reverse())
        answers = ["cba", "unjudgeable", "broken", "broken"]
        extra: dict[str, Any] = {}
        metrics: dict[str, float] = {}
        with caplog.at_level(logging.WARNING, logger="rftgym.adapters.trl"):
            values = [
                f(
                    completions=answers,
                    log_extra=extra.__setitem__,
                    log_metric=metrics.__setitem__,
                    **self.columns(4),
                )
                for f in functions
            ]
        assert [column[1:] for column in values] == [[None] * 3] * 3
        assert [column[0] for column in values] == [0.97, 1.0, 1.0]
        assert [record.message for record in caplog.records] == [
            "reward 'correct' failed in 2 of 4 episodes: ValueError: this answer breaks the judge"
        ]
        assert extra["failures"] == ["", "", *["reward correct: this answer breaks the judge"] * 2]
        assert metrics == {"unscorable": 0.75}

    def test_weighted_sums_are_the_rubrics_reward(self) -> None:
        env = Reverse()
        functions, weights = reward_funcs(env), reward_weights(env)
        for answer in ("cba", "abc", "x" * 300, ""):
            env.reset(options={"task": "abc"})
            score = env.step(answer)[4]["score"]
            values = [f(completions=[answer], **self.columns())[0] or 0.0 for f in functions]
            assert math.isclose(score.reward, sum(w * v for w, v in zip(weights, values, strict=True)))

    def test_a_product_is_one_function_and_its_factors_are_logged(self) -> None:
        env = Reverse(rubric=rftgym.Rubric([short, correct], success="correct", combine="product"))
        functions = reward_funcs(env)
        assert [f.__name__ for f in functions] == ["reward", "short", "correct"]
        assert reward_weights(env) == [1.0, 0.0, 0.0]
        assert functions[0](completions=["cba"], **self.columns()) == [pytest.approx(0.97**0.25)]

    def test_the_same_answers_to_other_tasks_are_scored_anew(self) -> None:
        (_, function, _) = reward_funcs(Reverse())
        answers = ["cba"]
        assert function(completions=answers, **self.columns()) == [1.0]
        assert function(completions=answers, **{**self.columns(), "task": ["hij"]}) == [0.0]

    def test_a_task_that_does_not_start_is_none(self) -> None:
        class Broken(Reverse):
            def prompt(self, task: rftgym.Task) -> str:
                raise RuntimeError("no prompt")

        assert [f(completions=["cba"], **self.columns()) for f in reward_funcs(Broken())] == [[None]] * 3

    def test_several_turns_need_somebody_who_plays_them(self) -> None:
        with pytest.raises(UsageError, match="rollout_func or an environment_factory"):
            reward_funcs(HigherLower())[0](completions=["5"], **self.columns())

    def test_other_datasets_are_refused(self) -> None:
        with pytest.raises(UsageError, match=r"adapters\.trl\.dataset"):
            reward_funcs(Reverse())[0](completions=["5"], prompts=["x"])


class TestOneTurn:
    def test_a_trainer_learns_and_logs_every_component(self, tokenizer: Any, tmp_path: Path) -> None:
        env = Reverse()
        before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002  # looked at, not drawn from
        answers = in_turn(["cba", "no", "hello there", "gfed"])
        functions = reward_funcs(env)
        assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002
        llm = model(tokenizer, answers)
        start = {name: weight.detach().clone() for name, weight in llm.named_parameters()}
        trainer = train(
            tokenizer, tmp_path, dataset(env, n=4), llm, reward_funcs=functions, reward_weights=reward_weights(env)
        )  # fmt: skip
        lines = logged(trainer)
        assert len(lines) == 2 and all(math.isfinite(line["loss"]) for line in lines)
        assert {"rewards/short/mean", "rewards/correct/mean", "rewards/letters/mean"} <= set(lines[0])
        assert lines[0]["rewards/letters/mean"] == 0.75 and lines[0]["unscorable"] == 0
        assert any(not torch.equal(weight, start[name]) for name, weight in llm.named_parameters())

    def test_a_model_that_really_samples(self, tokenizer: Any, tmp_path: Path) -> None:
        env = Reverse()
        trainer = train(
            tokenizer, tmp_path, dataset(env, n=4), model(tokenizer), length=8, reward_funcs=reward_funcs(env)
        )
        assert all(0 <= line["rewards/short/mean"] <= 1 for line in logged(trainer))

    def test_what_cannot_be_scored_moves_nothing(self, tokenizer: Any, tmp_path: Path) -> None:
        env = Reverse()
        llm = model(tokenizer, in_turn(["unjudgeable", "broken", "cba", "nope"]))
        trainer = train(tokenizer, tmp_path, dataset(env, n=4), llm, reward_funcs=reward_funcs(env))
        lines = logged(trainer)
        assert lines[0]["unscorable"] == 0.5
        advantages = list(trainer._logs["advantages"])
        assert advantages[:2] == [0.0, 0.0]
        assert all(advantages[2:4]) and math.isclose(sum(advantages[2:4]), 0.0, abs_tol=1e-5)


# ------------------------------------------------------------------------------------------------------ several turns


def bisecting(read: str) -> str:
    """The middle of what is left, by what the conversation says; ends and starts of messages are written out."""
    low, high, guess = 1, 9, None
    for line in read.replace("<|im_end|>", "\n").splitlines():
        text = line.strip()
        if text.isdecimal():
            guess = int(text)
        elif text.startswith("higher") and guess is not None:
            low = guess + 1
        elif text.startswith("lower") and guess is not None:
            high = guess - 1
    return str((low + high) // 2)


class TestRollouts:
    def trained(self, tokenizer: Any, folder: Path, script: Callable[[str], str], **arguments: Any) -> Any:
        env = HigherLower()
        self.seen: list[dict[str, Any]] = []
        play = rollout_func(env)

        def watched(prompts: Any, trainer: Any) -> dict[str, Any]:
            self.seen.append(play(prompts, trainer))
            return self.seen[-1]

        return train(
            tokenizer, folder, dataset(env, n=4), model(tokenizer, script), rollout_func=watched,
            reward_funcs=reward_funcs(env), **{"length": 200, **arguments},
        )  # fmt: skip

    def test_episodes_are_played_scored_and_masked(self, tokenizer: Any, tmp_path: Path) -> None:
        trainer = self.trained(tokenizer, tmp_path, bisecting)
        lines = logged(trainer)
        assert all(line["rewards/found/mean"] == 1.0 and math.isfinite(line["loss"]) for line in lines)
        for trajectory, ids, mask in zip(
            *(self.seen[0][key] for key in ("trajectory", "completion_ids", "env_mask")), strict=True
        ):
            own = [token for token, bit in zip(ids, mask, strict=True) if bit]
            assert own == [token for turn in trajectory.turns for token in turn.completion_ids]
            assert trajectory.terminated and trajectory.turns[-1].completion == trajectory.task.id
            assert trajectory.token_ids[-len(ids) :] == ids

    def test_the_tokens_are_those_of_the_template(self, tokenizer: Any, tmp_path: Path) -> None:
        self.trained(tokenizer, tmp_path, bisecting)
        play = next(
            row
            for row in zip(
                *(self.seen[0][k] for k in ("trajectory", "prompt_ids", "completion_ids")), strict=True
            )
        )
        trajectory, prompt, ids = play
        talk = [{"role": m.role, "content": m.content} for m in trajectory.messages][
            : -len(trajectory.closing)
        ]
        whole = tokenizer.apply_chat_template(talk, tokenize=False).rstrip("\n")
        assert tokenizer.decode(prompt + ids) == whole

    def test_control_tokens_in_an_observation_stay_text(self, tokenizer: Any, tmp_path: Path) -> None:
        self.trained(tokenizer, tmp_path, in_turn(["0"]))
        end = tokenizer.eos_token_id
        for ids, mask in zip(self.seen[0]["completion_ids"], self.seen[0]["env_mask"], strict=True):
            own = sum(bit for token, bit in zip(ids, mask, strict=True) if token == end)
            assert own == 4  # one a completion
            assert (
                sum(token == end for token in ids) == 4 + 3
            )  # and one behind each of the environment's messages

    def test_an_episode_ends_with_its_budget(self, tokenizer: Any, tmp_path: Path) -> None:
        self.trained(tokenizer, tmp_path, in_turn(["0"]), length=60)
        assert all(len(ids) <= 60 for ids in self.seen[0]["completion_ids"])
        assert all(
            trajectory.truncated and len(trajectory.turns) < 4 for trajectory in self.seen[0]["trajectory"]
        )

    def test_a_trainer_without_a_budget_plays_to_the_end(self, tokenizer: Any, tmp_path: Path) -> None:
        self.trained(tokenizer, tmp_path, bisecting, length=None)
        assert all(trajectory.terminated for trajectory in self.seen[0]["trajectory"])

    def test_a_failure_of_the_environment_masks_the_episode(self, tokenizer: Any, tmp_path: Path) -> None:
        trainer = self.trained(tokenizer, tmp_path, in_turn(["crash", *["0"] * 99]))
        assert logged(trainer)[0]["unscorable"] == 0.25
        assert trainer._logs["advantages"][0] == 0.0

    def test_an_episode_that_does_not_start_is_left_out(self, tokenizer: Any, tmp_path: Path) -> None:
        env = HigherLower()
        rows = dataset(env, n=4)
        env.broken_starts = frozenset(rows["task"])
        llm = model(tokenizer, bisecting)
        before = {name: weight.detach().clone() for name, weight in llm.named_parameters()}
        trainer = train(
            tokenizer, tmp_path, rows, llm, rollout_func=rollout_func(env), reward_funcs=reward_funcs(env)
        )
        assert [line["unscorable"] for line in logged(trainer)] == [1.0, 1.0]
        assert not any(trainer._logs["advantages"])
        assert all(torch.equal(weight, before[name]) for name, weight in llm.named_parameters())

    def test_prompts_from_elsewhere_are_refused(self, tokenizer: Any, tmp_path: Path) -> None:
        env = HigherLower()
        rows = dataset(env, n=4, text=True)
        with pytest.raises(UsageError, match=r"rows of rftgym\.adapters\.trl\.dataset"):
            train(tokenizer, tmp_path, rows, model(tokenizer, bisecting), rollout_func=rollout_func(env),
                  reward_funcs=reward_funcs(env))  # fmt: skip


@pytest.fixture(scope="module")
def calling(tokenizer: Any) -> Any:
    """The tokenizer with a template that knows tools, and a way to read calls: Qwen's, as TRL knows it."""
    from trl.chat_template_utils import add_response_schema

    made = copy.deepcopy(tokenizer)
    made.chat_template = (Path(trl.__file__).parent / "chat_templates" / "qwen2_5.jinja").read_text()
    return add_response_schema(made)


class TestTools:
    def call(self, text: str) -> str:
        return f'<tool_call>\n{{"name": "act", "arguments": {{"text": "{text}"}}}}\n</tool_call>'

    def script(self, read: str) -> str:
        said = read.split("<|im_start|>user\nGuess")[-1]
        if "found" in said:
            return "done"
        guesses = said.count("<tool_response>")
        return self.call(str([5, 3, 7, 9][guesses]) if guesses < 4 else "0")

    def test_a_model_plays_by_calling_the_tool(self, calling: Any, tmp_path: Path) -> None:
        env = HigherLower()
        trainer = train(
            calling, tmp_path, dataset(env, n=9), model(calling, self.script), length=900,
            environment_factory=environment_factory(env),
        )  # fmt: skip
        lines = logged(trainer)
        assert {"rewards/HigherLower/mean", "tools/call_frequency"} <= set(lines[0])
        assert all(
            line["tools/call_frequency"] >= 1 and line["tools/failure_frequency"] == 0 for line in lines
        )
        for tools, line in zip([trainer.environments], lines[-1:], strict=True):
            won = [tool._env.trajectory.terminated for tool in tools]
            assert line["rewards/HigherLower/mean"] == sum(won) / len(won)
            assert won == [tool._env.trajectory.task.id in ("3", "5", "7", "9") for tool in tools]

    def test_components_by_name_where_the_environment_does_not_pay(
        self, calling: Any, tmp_path: Path
    ) -> None:
        env = HigherLower()
        trainer = train(
            calling, tmp_path, dataset(env, n=9), model(calling, in_turn(["5"])), length=400,
            environment_factory=environment_factory(env, owns_reward=False), reward_funcs=reward_funcs(env),
        )  # fmt: skip
        line = logged(trainer)[0]
        assert "rewards/HigherLower/mean" not in line
        assert (
            line["rewards/found/mean"] == 0.0 and line["unscorable"] == 0.0
        )  # silence is an answer, and a wrong one

    def test_rows_without_a_task_are_refused(self) -> None:
        tools = environment_factory(HigherLower())()
        with pytest.raises(UsageError, match=r"dataset\(env\)"):
            tools.reset(prompt=[{"role": "user", "content": ""}])

    def test_an_environment_that_does_not_start_pays_nothing_and_not_0(self) -> None:
        env = HigherLower()
        env.broken_starts = frozenset({"5"})
        tools = environment_factory(env)()
        tools.reset(task="5", seed=1)
        assert tools.act("5") == "The episode is over." and tools.get_reward() is None
        tools.reset(task="4", seed=1)
        assert tools.act("4").startswith("found") and tools.get_reward() == 1.0

    def test_the_tool_says_when_it_is_over(self) -> None:
        tools = environment_factory(HigherLower())()
        tools.reset(task="5", seed=1)
        assert tools.act("3") == "higher <|im_end|>"
        assert tools.act("5") == "found\nThe episode is over."
        assert tools.act("5") == "The episode is over."
        assert tools.get_reward() == 1.0

    def test_a_template_without_tools_is_refused_by_trl(self, tokenizer: Any, tmp_path: Path) -> None:
        env = HigherLower()
        with pytest.raises(ValueError, match="does not support tool calling"):
            train(tokenizer, tmp_path, dataset(env, n=4), model(tokenizer, bisecting),
                  environment_factory=environment_factory(env))  # fmt: skip
