"""Builds the bundled models: small Llamas with byte-level tokenizers, each trained on its environments' own players.

`python -m rftgym_tiny.build.wordle --help`, likewise `kernels` and `mixed`; the model card beside this package tells
the recipes.
"""
