"""Builds the bundled models: small Llamas with byte-level tokenizers, trained on exact shares instead of samples.

`python -m rftgym_tiny.build.wordle --help` and `python -m rftgym_tiny.build.kernels --help`; the model card beside
this package tells the recipes.
"""
