"""Builds the bundled model `tiny-kernels`: procedural functions as kernels, soft targets at usual mistakes.

Run `python -m rftgym_tiny.build.kernels --help`; the model card tells the recipe.
"""
