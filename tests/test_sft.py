"""SFT: rows of tokens, packing, and whole runs with the bundled model."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym.config import RunConfig
from rftgym.errors import UsageError
from rftgym.plugins import Plugins
from rftgym.registry import installed, make_configured, make_policy
from rftgym.runs.directory import RunDirectory
from rftgym.tasks import ListTaskset
from rftgym.trainer import StopRequested, TrainContext
from rftgym.types import Message

sft = pytest.importorskip("rftgym_sft.trainer")
pytest.importorskip("trl", reason="pip install trl")
rows = pytest.importorskip("rftgym_sft.rows")
packing = pytest.importorskip("rftgym_sft.packing")

IGNORED = -100


class Mute(rftgym.SingleTurnEnv):
    """An environment that cannot show anything."""

    def make_tasks(self) -> ListTaskset:
        return ListTaskset(rftgym.Task(f"e-{i}", {}) for i in range(4))

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([rftgym.Component("any", lambda completion: 1.0)], success="any")

    def prompt(self, task: rftgym.Task) -> str:
        return "Write e."


def example_file(directory: Path, n: int = 12, answer: str = "e" * 8) -> Path:
    path = directory / "examples.jsonl"
    lines = [{"prompt": f"Write number {i}.", "completion": answer} for i in range(n)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def context(
    directory: Path,
    env: rftgym.TextEnv[Any] | str = "wordle",
    *,
    stop: Any = lambda: False,
    run: RunDirectory | None = None,
    resume_from: Path | None = None,
    seed: int = 0,
    every: int = 2,
    **settings: Any,
) -> TrainContext:
    own = {"steps": 3, "batch": 4, "warmup": 0, "learning_rate": 1e-2} | settings
    config = RunConfig.model_validate(
        {
            "env": env if isinstance(env, str) else "mute",
            "model": "tiny",
            "trainer": {"id": "sft", **own},
            "evaluation": {"every": 0},
            "checkpoints": {"every": every},
            "seed": seed,
        }
    )
    return TrainContext(
        config=config,
        settings=sft.SFTSettings(**own),
        env=make_configured(config.env, config.rewards) if isinstance(env, str) else env,
        policy=make_policy(config.model, trainable=True, seed=0),
        sampling=rftgym.Sampling(),
        run=run
        or RunDirectory.create(
            directory, name="test", config=config.model_dump(mode="json"), plugins=Plugins()
        ),
        plugins=installed(),
        resume_from=resume_from,
        evaluate_now=lambda step: None,
        stop=stop,
    )


def trained(ctx: TrainContext) -> list[dict[str, Any]]:
    sft.SFT().train(ctx)
    return ctx.run.metrics()


def weights(ctx: TrainContext) -> dict[str, Any]:
    model = ctx.policy.model  # type: ignore[attr-defined]
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    import torch

    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def untimed(lines: list[dict[str, Any]]) -> str:
    return json.dumps(
        [{k: v for k, v in line.items() if not k.startswith(("time", "seconds"))} for line in lines]
    )


# ---- rows of tokens


@pytest.fixture(scope="module")
def policy() -> Any:
    return make_policy(RunConfig.model_validate({"env": "wordle"}).model, trainable=False, seed=0)


def test_rows_are_the_tokens_that_episodes_of_the_same_words_record(policy: Any) -> None:
    env = rftgym.make("wordle")
    found = rftgym.evaluate(env, policy, split="train", n=24, seed=1, sampling=rftgym.Sampling(max_tokens=48))
    compared = 0
    for episode in found.trajectories:
        usual = all(
            turn.stop_reason == "eos" and policy.chat.completion(turn.completion) == turn.completion_ids[:-1]
            for turn in episode.turns
        )
        if not usual:  # the model may spell a word in other tokens than the tokenizer would
            continue
        words: list[Message] = []
        for turn in episode.turns:
            words += [*turn.messages, Message("assistant", turn.completion)]
        row = rows.conversation_row(words, policy)
        assert list(row.ids) == episode.token_ids
        mask = [int(label != IGNORED) for label in row.labels]
        assert mask == episode.model_mask
        assert all(label in (IGNORED, id) for label, id in zip(row.labels, row.ids, strict=True))
        compared += 1 if len(episode.turns) > 1 else 0
    assert compared >= 3


def test_only_the_assistants_words_and_its_turns_ends_are_learnt(policy: Any) -> None:
    talk = [
        Message("user", "one"),
        Message("assistant", "two"),
        Message("user", "three"),
        Message("assistant", "four"),
    ]
    row = rows.conversation_row(talk, policy)
    learnt = policy.chat.decode([label for label in row.labels if label != IGNORED])
    end = policy.chat.decode([rows.end_of_turn(policy)])
    assert learnt == f"two{end}four{end}"
    assert "one" in policy.chat.decode(row.ids) and "three" in policy.chat.decode(row.ids)


def test_control_tokens_in_an_answer_stay_text(policy: Any) -> None:
    end = rows.end_of_turn(policy)
    spelt = policy.chat.decode([end])
    row = rows.conversation_row([Message("user", "?"), Message("assistant", f"a{spelt}b")], policy)
    assert [label for label in row.labels if label != IGNORED].count(end) == 1
    assert policy.chat.decode([label for label in row.labels if label != IGNORED]) == f"a{spelt}b{spelt}"


def test_a_text_without_turns_gets_no_template_and_is_learnt_but_for_its_first_token(policy: Any) -> None:
    row = rows.plain_row("some plain text", policy)
    assert policy.chat.decode(row.ids[:-1]) == "some plain text"
    assert row.labels == (IGNORED, *row.ids[1:])


# ---- packing

lengths = st.lists(st.integers(1, 20), min_size=1, max_size=12)


@given(lengths, st.integers(0, 30))
def test_packs_hold_each_example_once_and_none_is_too_long(sizes: list[int], spare: int) -> None:
    width = max(sizes) + spare
    packs = packing.packs_of(sizes, width)
    assert sorted(i for pack in packs for i in pack) == list(range(len(sizes)))
    assert all(sum(sizes[i] for i in pack) <= width for pack in packs)
    assert (
        sum(2 * sum(sizes[i] for i in pack) <= width for pack in packs) <= 1
    )  # no two rows would fit into one


@given(lengths, st.booleans())
def test_packed_rows_say_where_examples_begin(sizes: list[int], one_row: bool) -> None:
    examples = [
        {"input_ids": [9] + [n] * (size - 1), "labels": [n] * size} for n, size in enumerate(sizes, 10)
    ]
    batch = packing.packing(0, one_row=one_row)(examples)
    ids, labels, positions = (batch[name] for name in ("input_ids", "labels", "position_ids"))
    assert ids.shape == labels.shape == positions.shape
    assert one_row is False or len(ids) == 1
    assert sorted(positions[ids == 9].tolist()) == [0] * len(sizes)
    assert (labels[positions == 0] == IGNORED).all()  # nothing is predicted across a border
    learnt = [[label for label in row if label != IGNORED] for row in labels.tolist()]
    assert sorted(label for row in learnt for label in row) == sorted(
        n for n, size in enumerate(sizes, 10) for _ in range(size - 1)
    )


def batches(policy: Any, *, packed: bool) -> Any:
    talks = [[Message("user", "x" * (5 * i + 1)), Message("assistant", f"answer {i}")] for i in range(5)]
    made = [rows.conversation_row(talk, policy) for talk in talks]
    collate = packing.collation(policy.model, 0, packed=packed)
    return collate([{"input_ids": list(row.ids), "labels": list(row.labels)} for row in made])


def test_packed_examples_do_not_see_each_other(policy: Any) -> None:
    import torch

    padded, packed = batches(policy, packed=False), batches(policy, packed=True)
    assert packed["input_ids"].shape[0] < padded["input_ids"].shape[0]
    found = []
    for batch in (padded, packed):
        labels = batch.pop("labels")
        with torch.no_grad():
            logits = policy.model(**batch, use_cache=False).logits[:, :-1]
        chosen = labels[:, 1:]
        logprobs = logits.log_softmax(-1).gather(2, chosen.clamp(min=0)[..., None])[..., 0]
        found.append(sorted(logprobs[chosen != IGNORED].tolist()))
    assert found[0] == pytest.approx(found[1], abs=1e-4)


def test_a_model_in_which_packed_examples_would_see_each_other_is_refused() -> None:
    import torch

    class Deaf(torch.nn.Module):
        """Ignores positions: every token hears all tokens before it."""

        config = SimpleNamespace(_attn_implementation="sdpa")
        device = torch.device("cpu")

        def forward(self, input_ids: Any, **_: Any) -> Any:
            heard = torch.nn.functional.one_hot(input_ids, 32).float().cumsum(1)
            weights = torch.arange(input_ids.shape[1]).float()[None, :, None] + 1
            return SimpleNamespace(logits=(heard * weights).cumsum(1))

    with pytest.raises(UsageError, match=r"trainer\.packing=false"):
        packing.collation(Deaf(), 0, packed=True)


# ---- whole runs


def test_learns_from_a_file_and_reports(tmp_path: Path) -> None:
    ctx = context(tmp_path, data=[str(example_file(tmp_path))], steps=12, validate_every=4)
    lines = trained(ctx)
    assert lines[-1]["loss"] < 0.3 * lines[0]["loss"]
    assert [line["step"] for line in lines if "validation/loss" in line] == [4, 8, 12]
    assert lines[-1]["validation/loss"] < 0.8 * lines[3]["validation/loss"]
    assert all(line["tokens"] > 0 and line["truncated"] == 0 for line in lines)
    facts = ctx.run.read_json("data.json")
    assert (facts["examples"], facts["validation"], facts["steps"]) == (11, 1, 12)
    assert any("examples.jsonl: 12 rows" in line for line in facts["report"])
    assert lines[-1]["epoch"] == pytest.approx(12 * 4 / 11)  # one of 12 is held back
    assert {"gradient_norm", "learning_rate", "token_accuracy", "seconds/step"} <= lines[0].keys()


@pytest.mark.parametrize("other", [{"micro_batch": 1}, {"micro_batch": 3}, {"packing": False}], ids=str)
def test_forward_passes_do_not_change_the_mathematics(other: dict[str, Any], tmp_path: Path) -> None:
    usual = trained(context(tmp_path / "a", examples=12, learning_rate=1e-4))
    cut = trained(context(tmp_path / "b", examples=12, learning_rate=1e-4, **other))
    for name in ("loss", "gradient_norm", "tokens", "validation/loss"):
        expected = [line[name] for line in usual if name in line]
        assert expected and [line[name] for line in cut if name in line] == pytest.approx(expected, rel=1e-3)


def test_epochs_say_how_many_steps(tmp_path: Path) -> None:
    ctx = context(tmp_path, examples=10, steps=None, epochs=1.5, validation_share=0.0)
    assert sft.SFT().train(ctx) == math.ceil(1.5 * 10 / 4)


def test_the_lowest_validation_loss_ends_and_wins(tmp_path: Path) -> None:
    """A rate under which the model soon spoils: the run ends before its last step, with its best weights."""
    ctx = context(
        tmp_path, examples=20, steps=40, learning_rate=0.1, validate_every=1, patience=3, validation_share=0.2
    )
    trainer = sft.SFT()
    done = trainer.train(ctx)
    losses = [line["validation/loss"] for line in ctx.run.metrics()]
    assert done == len(losses) < 40
    best = min(losses)
    assert losses.index(best) == done - 4

    again = context(tmp_path / "again", examples=20, steps=1, learning_rate=1e-9, validation_share=0.2)
    model = again.policy.model  # type: ignore[attr-defined]
    model.load_state_dict(weights(ctx), strict=False)
    assert trained(again)[0]["validation/loss"] == pytest.approx(best, rel=1e-4)

    # Killed now, before anything else was written: there is nothing to train any more.
    step, checkpoint = ctx.run.latest_checkpoint() or pytest.fail("no checkpoint")
    assert step == done
    resumed = context(
        tmp_path, examples=20, steps=40, learning_rate=0.1, validate_every=1, patience=3, validation_share=0.2,
        run=ctx.run, resume_from=checkpoint,
    )  # fmt: skip
    assert sft.SFT().train(resumed) == done
    assert same(weights(resumed), weights(ctx))
    assert len(ctx.run.metrics()) == done


def test_stopped_and_resumed_ends_as_undisturbed(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "examples": 16, "steps": 6, "micro_batch": 2, "validate_every": 1, "patience": 5, "schedule": "inverse-sqrt",
    }  # fmt: skip
    whole = context(tmp_path / "a", **settings)
    trained(whole)
    asked = iter([False, False, True])
    stopped = context(tmp_path / "b", stop=lambda: next(asked), **settings)
    with pytest.raises(StopRequested):
        sft.SFT().train(stopped)
    step, checkpoint = stopped.run.latest_checkpoint() or pytest.fail("no checkpoint")
    assert step == 3
    stopped.run.rewind(step)
    resumed = context(tmp_path / "b", run=stopped.run, resume_from=checkpoint, **settings)
    lines = trained(resumed)
    assert same(weights(whole), weights(resumed))
    assert untimed(lines) == untimed(whole.run.metrics())


def test_cut_examples_are_counted(tmp_path: Path) -> None:
    whole = context(tmp_path, examples=8, validation_share=0.0)
    sizes = sorted(len(row.ids) for row in sft.SFT()._taught(whole).rows)
    ctx = context(tmp_path, examples=8, validation_share=0.0, max_length=sizes[4] - 1)
    said: list[str] = []
    ctx.remark = said.append
    line = trained(ctx)[0]
    assert line["truncated"] == sum(size >= sizes[4] for size in sizes) / 8
    assert said[0] == "8 solutions of environment 'wordle'"
    assert f"cut at {sizes[4] - 1} tokens" in said[1]


def test_nothing_left_to_learn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"trainer\.max_length=3: no example"):
        sft.SFT().train(context(tmp_path, examples=4, max_length=3))


def test_copies_of_an_example_are_never_on_both_sides(tmp_path: Path) -> None:
    path = example_file(tmp_path, n=10)
    taught = sft.SFT()._taught(context(tmp_path, data=[f"{path}=3"], validation_share=0.3))
    assert len(taught.rows) == 21 and len(taught.validation) == 9
    assert not {row.ids for row in taught.rows} & {row.ids for row in taught.validation}


def test_words_after_the_last_answer_are_left_out(tmp_path: Path) -> None:
    class Polite(Mute):
        """Says something after the last answer."""

        def demonstrations(self, split: str, n: int, seed: int) -> Iterator[list[Message]]:
            yield [Message("user", "one"), Message("assistant", "two"), Message("user", "Well done.")]

    ctx = context(tmp_path, Polite(), source="demonstrations", validation_share=0.0)
    (row,) = sft.SFT()._taught(ctx).rows
    assert row.labels[-1] == rows.end_of_turn(ctx.policy)
    assert "Well done" not in ctx.policy.chat.decode(row.ids)  # type: ignore[attr-defined]


def test_the_runs_seed_decides_order_and_what_is_held_back(tmp_path: Path) -> None:
    def taught(seed: int) -> Any:
        return sft.SFT()._taught(context(tmp_path, data=[str(path)], seed=seed, validation_share=0.25))

    path = example_file(tmp_path)
    assert taught(1) == taught(1)
    assert taught(1).order != taught(2).order
    assert set(taught(1).validation) != set(taught(2).validation)


@pytest.mark.parametrize("source", ["solutions", "demonstrations"])
def test_an_environment_without_anything_to_show_and_no_file_is_refused(source: str, tmp_path: Path) -> None:
    ctx = context(tmp_path, Mute(), source=source)
    with pytest.raises(UsageError, match=f"has no {source} to learn from; give .* --data FILE"):
        sft.SFT().check(ctx.config, ctx.policy, ctx.env)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"trainer": {"id": "sft", "data": ["nowhere.jsonl"]}}, "nowhere.jsonl"),
        ({"trainer": {"id": "sft", "examples": 1_000_000}}, "tasks to solve"),
        ({"trainer": {"id": "sft", "patience": 2, "validation_share": 0.0}}, "patience"),
        ({"trainer": "sft", "model": "openai:anything@http://127.0.0.1:9/v1"}, "no weights"),
    ],
    ids=["file", "too many", "patience", "no weights"],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(
    settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        rftgym.train(env="wordle", runs=str(tmp_path / "runs"), **settings)
    assert not (tmp_path / "runs").exists()


def test_a_run_from_the_front_door(tmp_path: Path) -> None:
    """No look at rollouts beforehand: SFT learns from none."""
    result = rftgym.train(
        env={"id": "wordle", "max_turns": 2},
        trainer={"id": "sft", "examples": 8, "steps": 2, "batch": 4},
        evaluation={"n": 2, "every": 0},
        runs=str(tmp_path),
    )
    run = Path(result["run"])
    assert result["steps"] == 2 and (run / "adapter" / "adapter_model.safetensors").is_file()
    assert not (run / "preflight.json").exists()


def test_callers_generators_are_left_alone(tmp_path: Path) -> None:
    import random

    import numpy as np
    import torch

    legacy = np.random  # its global generator

    def states() -> Sequence[Any]:
        return random.getstate(), legacy.get_state()[1].tolist(), torch.get_rng_state().tolist()

    before = states()
    trained(context(tmp_path, examples=8, steps=1))
    assert before == states()
