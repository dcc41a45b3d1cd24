"""The honest comparison: what supervised and reinforcement fine-tuning make of the same few tasks.

One comparison is one directory of ordinary runs::

    20261126-091500-wordle-tiny/
        comparison.json     the plan: written first, read by --resume
        runs/               rft-n50-seed1/ ...: each holds one run (or one evaluation), and what was measured on it
        log/                what the worker processes said
        results.json        every figure, when all runs are over
        table.md            the same as a table
        plot.svg            score over size, a line an arm
        report.html         table, plot and how it was done, on one page
        advice.txt          one sentence for this task

Who does what: ``plan`` (what was asked, checked), ``jobs`` (which runs that means, and their configurations),
``work`` (one job), ``meter`` and ``measure`` (what is measured on it), ``pool`` and ``worker`` (processes),
``experiment`` (all of it), ``pooled`` (statistics), ``results``, ``advice``, ``table``, ``plot`` and ``page`` (what a
reader gets).
"""
