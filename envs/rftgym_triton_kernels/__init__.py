"""Triton kernels: a PyTorch function goes in, an equivalent Triton kernel comes out. Hook implementations only."""

from __future__ import annotations

from rftgym import EnvSpec, hookimpl

DEFAULTS = {
    "sampling.max_tokens": 256,
    "grpo.steps": 60,
    "rloo.steps": 60,
    "trainer.prompts": 4,
    "evaluation.n": 24,
    "evaluation.samples": 8,
    "evaluation.every": 20,
    "evaluation.every_n": 8,
}


@hookimpl
def rftgym_environments() -> list[EnvSpec]:
    """The environment, its variant with several attempts, and its generated problems."""
    return [
        EnvSpec(
            id="triton-kernels",
            entry_point="rftgym_triton_kernels.env:TritonKernelsEnv",
            summary="Write a Triton kernel for a PyTorch function; judged without a GPU (45 problems)",
            gymnasium_id="rftgym/TritonKernels-v0",
            default_model="tiny-kernels",
            train_defaults=DEFAULTS,
        ),
        EnvSpec(
            id="triton-kernels-repair",
            entry_point="rftgym_triton_kernels.env:TritonKernelsRepairEnv",
            summary="The same in several attempts, with the judge's message in between",
            gymnasium_id="rftgym/TritonKernelsRepair-v0",
            default_model="tiny-kernels",
            train_defaults=DEFAULTS,
        ),
        EnvSpec(
            id="triton-kernels-generated",
            entry_point="rftgym_triton_kernels.env:GeneratedKernelsEnv",
            summary="Element-wise and reduction kernels for generated functions, without end, by difficulty",
            gymnasium_id="rftgym/TritonKernelsGenerated-v0",
            default_model="tiny-kernels",
            train_defaults=DEFAULTS,
        ),
    ]
