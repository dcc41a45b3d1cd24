"""How many queries a second of processor time are judged: each of a new task, and several of one task.

    python benchmarks/sql_throughput.py --engine sqlite --tasks 100 --answers 8

A new task costs more than an answer: its databases are made, and its query and the query's mutants run on them. Answers
are in turns the task's own query, one that is nearly right, one that fails and one that is no SQL. Processor time is
that of this process and of all sandboxed ones; rounds are of other tasks each, the median and the extremes are printed.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys

import rftgym
from rftgym import Task
from rftgym_sql.judge import Judge
from rftgym_sql.mutants import mutants
from rftgym_sql.processes import Setting


def answers(task: Task, count: int, first: int) -> list[str]:
    """Queries for a task, of kinds by turns that begin with kind number ``first``."""
    good = task.data["query"]
    kinds = (good, mutants(good)[0].query, good.replace("SELECT", "SELECT missing,", 1), f"{good} WHERE")
    return [kinds[(first + number) % len(kinds)] for number in range(count)]


def seconds() -> float:
    """Processor time so far: this process's, and that of all that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def measured(engine: str, tasks: list[Task], count: int) -> float:
    """Answers a second of processor time, the start of the sandbox left out."""
    spent = []
    for work in ([], tasks):
        judge = Judge(Setting(engine, workers=1))
        start = seconds()
        judge.judge(Task("start", dict(tasks[0].data, seed="start"), "train"), tasks[0].data["query"])
        for number, task in enumerate(work):
            for query in answers(task, count, number):
                judge.judge(task, query)
        judge.close()  # only now the sandbox's processes are counted
        spent.append(seconds() - start)
    return len(tasks) * count / (spent[1] - spent[0])


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=("sqlite", "duckdb"), default="sqlite")
    parser.add_argument("--tasks", type=int, default=100, help="tasks a round")
    parser.add_argument("--answers", type=int, default=8, help="answers a task, where several share one")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    taskset = rftgym.make("sql", engine=options.engine).tasks
    figures: dict[str, dict[str, float]] = {}
    for count in (1, options.answers):
        rates = []
        for round_ in range(options.rounds):
            first = (count * options.rounds + round_) * options.tasks
            tasks = [taskset.item("train", first + index) for index in range(options.tasks)]
            rates.append(measured(options.engine, tasks, count))
        figures[f"{count} a task"] = {
            "median": round(statistics.median(rates), 1),
            "slowest": round(min(rates), 1),
            "fastest": round(max(rates), 1),
        }
    if options.json:
        sys.stdout.write(json.dumps({"engine": options.engine, "answers_per_cpu_second": figures}) + "\n")
    else:
        for name, rate in figures.items():
            text = ", ".join(f"{key} {value:g}" for key, value in rate.items())
            sys.stdout.write(f"{options.engine}, {name}: answers a second of processor time: {text}\n")


if __name__ == "__main__":
    main()
