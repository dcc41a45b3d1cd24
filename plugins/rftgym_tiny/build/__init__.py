"""Builds the bundled model: word games with soft targets, a small Llama, a byte-level tokenizer.

Run `python -m rftgym_tiny.build --help`; the model card beside this package tells the recipe.
"""
