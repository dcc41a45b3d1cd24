"""Builds the bundled model `tiny-mixed`: several environments' own demonstrations, a token at a time.

Run `python -m rftgym_tiny.build.mixed --help`; the model card tells the recipe.
"""
