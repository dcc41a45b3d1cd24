"""Builds `tiny`: word games with soft targets.

Run `python -m rftgym_tiny.build.wordle --help`; the model card tells the recipe.
"""
