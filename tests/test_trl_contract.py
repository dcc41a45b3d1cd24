"""What ``rftgym_grpo.trl_bridge`` relies on in TRL and transformers; fails first when a new version moves it."""

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


def test_overridden_methods_keep_their_signatures() -> None:
    assert parameters(trl.GRPOTrainer._compute_loss) == ["self", "model", "inputs"]
    assert parameters(trl.GRPOTrainer._save_checkpoint) == ["self", "model", "trial"]
    assert parameters(trl.GRPOTrainer.log) == ["self", "logs", "start_time"]
    assert parameters(trl.GRPOTrainer._get_output_dir) == ["self", "trial"]
    assert "return logps, entropies, aux_loss" in source(trl.GRPOTrainer._get_per_token_logps_and_entropies)


def test_checkpoints_go_where_get_output_dir_says() -> None:
    from transformers import Trainer

    assert "self._get_output_dir(trial=trial)" in source(Trainer._save_checkpoint)


def test_loss_types_are_all_there() -> None:
    text = source(trl.GRPOTrainer._compute_loss)
    for loss in ("grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo", "luspo", "vespo"):
        assert f'"{loss}"' in text
    assert 'importance_sampling_level == "sequence"' in text
