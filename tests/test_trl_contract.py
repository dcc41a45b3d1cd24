"""What the trainers on TRL rely on in TRL and transformers; fails first when a new version moves it."""

from __future__ import annotations

import inspect

import pytest

trl = pytest.importorskip("trl", reason="pip install trl")


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def source(function: object) -> str:
    return inspect.getsource(function)  # type: ignore[arg-type]


def test_rollout_func_is_a_constructor_argument_and_gets_prompts_and_trainer() -> None:
    assert "rollout_func" in parameters(trl.GRPOTrainer.__init__)
    assert "self.rollout_func(prompts, self)" in source(trl.GRPOTrainer._generate)


def test_rollout_output_keys() -> None:
    text = source(trl.GRPOTrainer._generate)
    assert 'required_keys = {"prompt_ids", "completion_ids", "logprobs"}' in text
    assert 'extra_fields.pop("env_mask", None)' in text


def test_extra_fields_reach_the_reward_function() -> None:
    assert "inp[key] = values[i]" in source(trl.GRPOTrainer._generate_and_score_completions)


def test_unscorable_rows_have_no_advantage() -> None:
    text = source(trl.GRPOTrainer._generate_and_score_completions)
    assert "rewards[unscorable_mask] = torch.nan" in text
    assert "torch.nan_to_num(advantages, nan=0.0)" in text


def test_sampling_logprobs_reach_the_loss() -> None:
    assert 'output["sampling_per_token_logps"]' in source(trl.GRPOTrainer._generate_and_score_completions)


@pytest.mark.parametrize("trainer", ["GRPOTrainer", "RLOOTrainer", "SFTTrainer"])
def test_overridden_methods_keep_their_signatures(trainer: str) -> None:
    kind = getattr(trl, trainer)
    assert parameters(kind._save_checkpoint) == ["self", "model", "trial"]
    assert parameters(kind.log) == ["self", "logs", "start_time"]
    assert parameters(kind._get_output_dir) == ["self", "trial"]
    assert parameters(kind._load_from_checkpoint)[:2] == ["self", "resume_from_checkpoint"]


@pytest.mark.parametrize("trainer", ["GRPOTrainer", "RLOOTrainer"])
def test_what_online_trainers_override(trainer: str) -> None:
    kind = getattr(trl, trainer)
    assert parameters(kind._compute_loss) == ["self", "model", "inputs"]
    assert "return logps, entropies, aux_loss" in source(kind._get_per_token_logps_and_entropies)
    assert parameters(kind._get_per_token_logps_and_entropies)[1:8] == [
        "model", "input_ids", "attention_mask", "logits_to_keep", "batch_size", "compute_entropy", "compute_aux_loss"
    ]  # fmt: skip


@pytest.mark.parametrize("trainer", ["GRPOTrainer", "RLOOTrainer"])
def test_a_batch_of_episodes_is_used_up_at_the_end_of_a_cycle(trainer: str) -> None:
    """So that a checkpoint there needs no buffer, and a resumed run, whose count begins at 0, plays a new batch."""
    kind = getattr(trl, trainer)
    text = source(kind._prepare_inputs)
    assert "generate_every = self.args.steps_per_generation * self.num_iterations" in text
    assert "if self._step % generate_every == 0 or self._buffered_inputs is None" in text
    assert "generation_batch = shuffle_sequence_dict(generation_batch)" in text
    assert "self._step = 0" in source(kind.__init__)
    assert "permutation = torch.randperm(batch_size)" in source(trl.trainer.utils.shuffle_sequence_dict)


def test_rloo_asks_for_episodes_and_sums_what_it_is_given() -> None:
    text = source(trl.RLOOTrainer._generate_and_score_completions)
    assert "prompt_ids_list, completion_ids_list, completions = self._generate(prompts)" in text
    assert "old_logps = (old_per_token_logps * completion_mask).sum(1)" in text
    assert "per_token_kl = old_per_token_logps - ref_per_token_logps" in text
    assert "logps = (per_token_logps * completion_mask).sum(1)" in source(trl.RLOOTrainer._compute_loss)


def test_sft_takes_rows_of_tokens_as_they_are() -> None:
    text = source(trl.SFTTrainer.__init__)
    assert 'args.dataset_kwargs.get("skip_prepare_dataset", False)' in text
    assert "if not self._skip_prepare_dataset:" in text
    assert "outputs = model(**inputs, fused_lm_head=True)" in source(trl.SFTTrainer.compute_loss)
    assert '"position_ids" in inputs' in source(trl.SFTTrainer.compute_loss)


def test_packed_examples_are_told_apart_by_their_positions() -> None:
    import torch
    from transformers.masking_utils import find_packed_sequence_indices

    found = find_packed_sequence_indices(torch.tensor([[0, 1, 2, 0, 1], [0, 1, 2, 3, 4]]))
    assert found is not None and found.tolist() == [[0, 0, 0, 1, 1], [0, 0, 0, 0, 0]]


def test_resuming_skips_what_was_seen_and_loads_the_generators() -> None:
    from transformers import Trainer

    text = source(Trainer._run_epoch)
    assert "skip_first_batches(train_dataloader, steps_trained_in_current_epoch)" in text
    assert "self._load_rng_state(resume_from_checkpoint)" in text
    assert "weights_only=True" in source(Trainer._load_rng_state)


def test_checkpoints_go_where_get_output_dir_says() -> None:
    from transformers import Trainer

    assert "self._get_output_dir(trial=trial)" in source(Trainer._save_checkpoint)


def test_loss_types_are_all_there() -> None:
    text = source(trl.GRPOTrainer._compute_loss)
    for loss in ("grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo", "luspo", "vespo"):
        assert f'"{loss}"' in text
    assert 'importance_sampling_level == "sequence"' in text
    assert "clamped_ratios = torch.clamp(coef_1, max=self.epsilon_high)" in text  # CISPO's: the ratio itself
