"""What trainers share: batches of tokens, their log-probabilities, the reference, schedules."""

from __future__ import annotations

import math
from typing import Any, get_args

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

import rftgym
from rftgym.config import ModelSettings, Schedule
from rftgym.errors import ContractError
from rftgym.registry import make_policy
from rftgym.trainer import episode_seeds
from rftgym.types import Score
from rftgym.updates import batches
from rftgym.updates.batches import (
    Reference,
    largest_pass,
    micro_batches,
    reference_logprobs,
    token_batch,
    token_logprobs,
    trainable,
)
from rftgym.updates.groups import ACTIVATION_BYTES, LARGEST_MICRO_BATCH
from rftgym.updates.schedules import learning_rate_factor

TINY = {
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def episode(*turns: tuple[int, int], reward: float | None = 1.0, first: int = 3) -> rftgym.Trajectory:
    """An episode of (prompt tokens, completion tokens) a turn, numbered from ``first``, wrapped at 40."""
    trajectory = rftgym.Trajectory("e", rftgym.Task("t", {}), 0)
    token = first
    for heard, said in turns:
        ids = [(token + i) % 40 for i in range(heard + said)]
        token += heard + said
        recorded = tuple(-0.5 - i for i in range(said))
        trajectory.turns.append(rftgym.Turn((), "", tuple(ids[:heard]), tuple(ids[heard:]), recorded))
    trajectory.score = Score(reward, reward is not None, {})
    return trajectory


def filled(model: Any, seed: int = 0) -> Any:
    """The model with weights drawn from a generator of its own."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return model.eval()


def small(family: str = "Llama", **more: Any) -> Any:
    config = getattr(transformers, f"{family}Config")(**TINY, **more)
    with torch.random.fork_rng():
        return filled(getattr(transformers, f"{family}ForCausalLM")(config))


turns = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 5)), min_size=1, max_size=4)


@given(st.lists(turns, min_size=1, max_size=5))
def test_a_batch_keeps_every_token_at_its_place(rows: list[list[tuple[int, int]]]) -> None:
    trajectories = [episode(*row) for row in rows]
    batch = token_batch(trajectories)
    assert len(batch) == len(rows) and batch.input_ids_BT.shape[1] == int(batch.lengths_B.max())
    for row, trajectory in enumerate(trajectories):
        length = int(batch.lengths_B[row])
        assert batch.input_ids_BT[row, :length].tolist() == trajectory.token_ids
        assert batch.model_mask_BT[row, :length].int().tolist() == trajectory.model_mask
        assert not batch.model_mask_BT[row, length:].any()
        said = [(n, p) for n, turn in enumerate(trajectory.turns) for p in turn.logprobs]
        mask = batch.model_mask_BT[row]
        assert batch.turns_BT[row][mask].tolist() == [n for n, _ in said]
        assert batch.sampler_logprobs_BT[row][mask].tolist() == [p for _, p in said]
        assert (batch.turns_BT[row][~mask] == -1).all() and (batch.sampler_logprobs_BT[row][~mask] == 0).all()
        alone = batch.rows([row])
        assert torch.equal(alone.input_ids_BT, token_batch([trajectory]).input_ids_BT)
        assert batch.attention_BT[row].sum() == length


def test_what_is_no_episode_of_tokens_is_refused() -> None:
    with pytest.raises(ContractError, match="without a prompt"):
        token_batch([episode((0, 3))])
    with pytest.raises(ContractError, match="without tokens"):
        token_batch([episode()])
    broken = episode((2, 3))
    broken.turns[0].logprobs = (-1.0,)
    with pytest.raises(ContractError, match="3 tokens, 1 log-probabilities"):
        token_batch([broken])


def test_a_policy_that_records_nothing_leaves_nan() -> None:
    silent = episode((2, 3))
    silent.turns[0].logprobs = ()
    batch = token_batch([silent])
    assert batch.sampler_logprobs_BT[batch.model_mask_BT].isnan().all()
    assert not batch.sampler_logprobs_BT[~batch.model_mask_BT].isnan().any()


def test_only_scored_episodes_with_tokens_are_trained_on() -> None:
    zero, good = episode((2, 3), reward=0.0), episode((2, 3))
    assert trainable([episode((2, 3), reward=None), zero, episode(), episode((2, 0)), good]) == [zero, good]
    unscored = episode((2, 3))
    unscored.score = None
    assert trainable([unscored]) == []


FAMILIES = [
    ("Llama", {}),
    ("Gemma2", {"final_logit_softcapping": 2.0}),
    ("Granite", {"logits_scaling": 3.0}),
    ("Cohere", {"logit_scale": 0.25}),
    ("HyperCLOVAX", {"logits_scaling": 3.0}),
    ("RecurrentGemma", {"logits_soft_cap": 2.0, "block_types": ["attention"]}),
]


@pytest.mark.parametrize(("family", "more"), FAMILIES, ids=[name for name, _ in FAMILIES])
def test_logprobs_are_those_of_the_models_own_logits(family: str, more: dict[str, Any]) -> None:
    model = small(family, **more)
    trajectories = [episode((3, 2), (2, 4)), episode((1, 1)), episode((4, 3), (1, 0), (2, 2))]
    batch = token_batch(trajectories)
    with torch.no_grad():
        scores = token_logprobs(model, batch, 0.7, entropy=True, hidden=True)
    assert scores.entropy_BT is not None and scores.hidden_BTD is not None and scores.final_BD is not None
    for row, trajectory in enumerate(trajectories):
        ids = trajectory.token_ids
        with torch.no_grad():
            output = model(input_ids=torch.tensor([ids]), output_hidden_states=True)
        logprobs_TV = (output.logits[0].float() / 0.7).log_softmax(-1)
        entropy_T = -(logprobs_TV.exp() * logprobs_TV).sum(-1)
        for place, said in enumerate(trajectory.model_mask):
            found = (scores.logprobs_BT[row, place], scores.entropy_BT[row, place])
            if said:
                expected = (float(logprobs_TV[place - 1, ids[place]]), float(entropy_T[place - 1]))
                assert [float(v) for v in found] == pytest.approx(expected, abs=1e-5)
                state_D = output.hidden_states[-1][0, place - 1]
                torch.testing.assert_close(scores.hidden_BTD[row, place], state_D, atol=1e-5, rtol=1e-5)
            else:
                assert found == (0.0, 0.0) and not scores.hidden_BTD[row, place].any()
        assert not scores.logprobs_BT[row, len(ids) :].any()
        torch.testing.assert_close(
            scores.final_BD[row], output.hidden_states[-1][0, -1], atol=1e-5, rtol=1e-5
        )


def test_pieces_change_neither_values_nor_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = small(), token_batch([episode((3, 6), (2, 5)), episode((2, 9))])
    results = []
    for limit in (batches.LOGITS_BYTES, 4 * TINY["vocab_size"] * 3):  # type: ignore[operator]  # three tokens a piece
        monkeypatch.setattr(batches, "LOGITS_BYTES", limit)
        model.zero_grad()
        scores = token_logprobs(model, batch, entropy=True)
        (scores.logprobs_BT.sum() + scores.entropy_BT.sum()).backward()  # type: ignore[union-attr]
        gradients = torch.cat([p.grad.flatten() for p in model.parameters()])
        results.append((scores.logprobs_BT.detach(), scores.entropy_BT, gradients))
    for whole, pieces in zip(*results, strict=True):
        torch.testing.assert_close(pieces, whole, atol=1e-5, rtol=1e-5)


def adapted(**more: Any) -> Any:
    return make_policy(ModelSettings(id="tiny", **more), trainable=True, seed=0).model  # type: ignore[attr-defined]


def shifted(model: Any, by: float = 0.02) -> None:
    """Change every trained weight."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * by)


@pytest.mark.parametrize("kind", ["fresh adapter", "adapter in use", "all weights"])
def test_the_reference_stays_what_the_policy_was(kind: str) -> None:
    model = adapted(adapter="full" if kind == "all weights" else "lora")
    if kind == "adapter in use":
        shifted(model)
    batch = token_batch([episode((4, 5), (2, 3)), episode((3, 2))])
    with torch.no_grad():
        at_first = token_logprobs(model, batch).logprobs_BT
    reference = Reference(model)
    assert bool(reference._kept) == (kind != "fresh adapter")  # nothing is copied where nothing need be
    shifted(model)
    with torch.no_grad():
        moved = token_logprobs(model, batch).logprobs_BT
    found = reference_logprobs(model, reference, batch)
    torch.testing.assert_close(found, at_first, atol=1e-5, rtol=1e-5)
    assert not found.requires_grad and not torch.allclose(moved, at_first, atol=1e-3)
    trained = [name for name, p in model.named_parameters() if p.requires_grad]
    with pytest.raises(ZeroDivisionError), reference.active():
        raise ZeroDivisionError
    with torch.no_grad():
        assert torch.equal(token_logprobs(model, batch).logprobs_BT, moved)
    assert [name for name, p in model.named_parameters() if p.requires_grad] == trained


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=30),
    st.integers(1, 8),
    st.integers(20, 200),
)
def test_passes_hold_every_episode_once_within_their_limits(
    lengths: list[int], rows: int, tokens: int
) -> None:
    passes = micro_batches(lengths, rows=rows, tokens=tokens)
    assert sorted(i for each in passes for i in each) == list(range(len(lengths)))
    for each in passes:
        longest = max(lengths[i] for i in each)
        assert len(each) <= rows and (len(each) == 1 or len(each) * longest <= tokens)
    flat = [lengths[i] for each in passes for i in each]
    assert flat == sorted(lengths, reverse=True)


def test_the_largest_pass_takes_what_fits() -> None:
    config = transformers.LlamaConfig(**TINY)
    token = batches.activation_bytes(config)
    half = ACTIVATION_BYTES // (2 * token)
    assert largest_pass(config, 10, episodes=64, micro_batch=None) == (LARGEST_MICRO_BATCH, 10)
    assert largest_pass(config, 10, episodes=5, micro_batch=None) == (5, 10)
    assert largest_pass(config, half, episodes=64, micro_batch=None) == (2, half)
    assert largest_pass(config, 100 * half, episodes=64, micro_batch=None) == (1, 100 * half)
    assert largest_pass(config, half, episodes=64, micro_batch=8) == (8, half)


NAMES = {
    "constant": ("constant_with_warmup", {}),
    "linear": ("linear", {}),
    "cosine": ("cosine", {}),
    "cosine-floor": ("cosine_with_min_lr", {"min_lr_rate": 0.1}),
    "inverse-sqrt": ("inverse_sqrt", {}),
}


@settings(max_examples=40)
@given(st.sampled_from(get_args(Schedule)), st.integers(1, 40), st.integers(0, 50))
def test_schedules_are_those_of_transformers(schedule: Any, steps: int, warmup: int) -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    name, more = NAMES[schedule]
    theirs = transformers.get_scheduler(name, optimizer, warmup, steps, scheduler_specific_kwargs=more)
    for step in range(1, steps + 1):
        ours = learning_rate_factor(step, steps=steps, warmup=warmup, schedule=schedule)
        assert ours == pytest.approx(theirs.get_last_lr()[0], abs=1e-9), (schedule, step)
        optimizer.step()
        theirs.step()


def test_a_schedule_begins_at_step_1() -> None:
    with pytest.raises(ValueError, match="step 0"):
        learning_rate_factor(0, steps=3, warmup=0, schedule="constant")
    with pytest.raises(ValueError, match="'wavy'"):
        learning_rate_factor(1, steps=3, warmup=0, schedule="wavy")  # type: ignore[arg-type]


def test_seeds_depend_on_run_seed_and_position_only() -> None:
    tasks = [rftgym.Task(str(i), {}) for i in range(50)]
    found = episode_seeds(3, tasks)
    assert found[:10] == episode_seeds(3, tasks[:10])
    assert len(set(found) | set(episode_seeds(4, tasks))) == 100
    assert all(0 <= seed < 2**31 for seed in found)
    assert math.isclose(sum(found) / 50 / 2**31, 0.5, abs_tol=0.2)  # spread over the range
