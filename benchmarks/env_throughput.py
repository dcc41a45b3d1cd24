"""Wordle steps per CPU-second: rftgym's, a bare Python one, TextArena's and GEM's, in interleaved rounds.

    python benchmarks/env_throughput.py                                     what this interpreter has
    python benchmarks/env_throughput.py --python-other other/bin/python     TextArena and GEM from elsewhere

Every contestant plays the same valid five-letter words, six guesses an episode, in a process of its own; the processes
take turns, so that a noisy machine hits all of them alike, and each counts its own CPU seconds. Printed are medians of
the rounds, and the medians of the ratios within a round.

TextArena and GEM pin versions that fight with others, so they get an environment of their own:

    python -m venv other && other/bin/pip install textarena==0.7.4 gem-llm==0.1.0

(or ``pip install --no-deps`` those two and then chess, nltk, openai, python-dotenv, requests, rich, websockets). Both
download NLTK's word lists when an environment is made. Here nothing is downloaded: NLTK reads rftgym's words from a
folder in its own format (850 basic words, a fifth of them of five letters, as in the original), and TextArena's filter
for nouns, which needs a downloaded tagger when an environment is made, lets every word pass. Steps are not touched.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
DATA = HERE.parents[1] / "envs" / "rftgym_wordle" / "data"
Play = Callable[[int], int]
"""Plays whole episodes until at least so many steps were taken; returns the steps."""

BARS = {  # (of, over): at least so much
    ("rftgym step", "bare"): 0.5,
    ("rftgym step", "TextArena"): 3.0,
    ("rftgym step", "GEM"): 3.0,
}
ROLLOUT_BAR = 10_000


def words(name: str) -> list[str]:
    """A word list of rftgym's Wordle, read as a file: the other interpreter has no rftgym."""
    return (DATA / name).read_text(encoding="ascii").split()


def guess_cycle(form: str) -> Iterator[str]:
    """The guesses that every contestant plays, in the form that it reads; none comes twice in an episode."""
    chosen = words("guesses.txt")
    random.Random(0).shuffle(chosen)
    return cycle([form.format(word) for word in chosen[:3000]])


# ---------------------------------------------------------------------------------------------------------- contestants


class BareWordle:
    """A five-tuple Wordle and nothing else: tag, word list, exact marks, notes, texts, and rftgym's reward in one sum.

    Args:
        full: with notes in the observation, and the same reward as rftgym's; else marks only, and 1 for a win.
    """

    def __init__(self, *, full: bool) -> None:
        from rftgym_wordle import game, prompts
        from rftgym_wordle.words import answers, guesses

        self.game, self.prompts, self.full = game, prompts, full
        self.answers, self.words = answers(), guesses()
        self.pattern = re.compile(r"<guess>\s*([A-Za-z]+)\s*</guess>")

    def reset(self, seed: int | None = None) -> tuple[str, dict[str, Any]]:
        """Draw a secret."""
        if seed is not None:
            self.random = random.Random(seed)
        self.answer = self.random.choice(self.answers)
        self.notes, self.known, self.tries = self.game.Notes(), 0, 0
        self.history: list[tuple[str, str]] = []
        self.formed = self.valid = self.fitting = 0
        return self.prompts.opening(), {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Take a guess."""
        self.tries += 1
        left = 6 - self.tries
        found = self.pattern.findall(action)
        guess = found[-1].lower() if found else None
        if guess is None or guess not in self.words:
            return self.prompts.after_error(guess, self.notes, left), 0.0, not left, False, {}
        marks = self.game.feedback(guess, self.answer)
        won = marks == self.game.WIN
        over = won or not left
        reward = self._paid(guess, marks, len(found) == 1, won, over) if self.full else float(won)
        if over:
            observation = self.prompts.closing(guess, marks, self.answer)
        elif self.full:
            observation = self.prompts.after_guess(guess, marks, self.notes, left)
        else:
            observation = f"{guess} {marks}"
        return observation, reward, over, False, {"marks": marks}

    def _paid(self, guess: str, marks: str, formed: bool, won: bool, over: bool) -> float:
        self.fitting += self.game.consistent(guess, self.history)
        self.history.append((guess, marks))
        self.notes = self.notes.after(guess, marks)
        known = 2 * (5 - self.notes.green.count("_")) + len(self.notes.unplaced)
        reward, self.known = 0.01 * (known - self.known), known
        self.formed += formed
        self.valid += 1
        if over:
            reward += (0.1 * self.formed + 0.1 * self.valid + 0.2 * self.fitting) / self.tries
        return reward + 1.0 + 0.2 * (6 - self.tries) / 5 if won else reward


def five_tuple(env: Any, form: str) -> Play:
    """Plays an environment with Gymnasium's reset and step."""
    guesses = guess_cycle(form)
    env.reset(seed=0)

    def play(steps: int) -> int:
        taken = 0
        while taken < steps:
            env.reset()
            over = False
            while not over:
                _, _, terminated, truncated, _ = env.step(next(guesses))
                over = terminated or truncated
                taken += 1
        return taken

    return play


def bare() -> Play:
    """The same game, observations and rewards, without a framework."""
    return five_tuple(BareWordle(full=True), "<guess>{}</guess>")


def bare_marks_only() -> Play:
    """Without a framework, without notes in the observation, and with a win as the only reward."""
    return five_tuple(BareWordle(full=False), "<guess>{}</guess>")


def rftgym_step() -> Play:
    """rftgym's Wordle with all its rewards."""
    import rftgym

    return five_tuple(rftgym.make("wordle"), "<guess>{}</guess>")


def rftgym_gymnasium() -> Play:
    """The same through gymnasium.make, with Gymnasium's wrappers."""
    import gymnasium

    return five_tuple(gymnasium.make("rftgym.gym:rftgym/Wordle-v0"), "<guess>{}</guess>")


def rftgym_rollout() -> Play:
    """Full rollouts: groups of 8, a scripted policy, trajectories, scores."""
    import rftgym
    from rftgym.rollout.engine import play as rollout
    from rftgym.scoring import score_trajectories

    env = rftgym.make("wordle")
    guesses = guess_cycle("<guess>{}</guess>")
    policy = rftgym.ScriptedPolicy(lambda messages, rng: next(guesses))
    seeds = iter(range(10**9))

    def play(steps: int) -> int:
        taken = 0
        while taken < steps:
            batch = [next(seeds) for _ in range(32)]
            tasks = env.tasks.sample("train", len(batch), batch[0])
            trajectories = rollout(env, policy, rftgym.Sampling(), tasks=tasks, seeds=batch, group_size=8)
            score_trajectories(env.rubric, trajectories)
            taken += sum(len(trajectory.turns) for trajectory in trajectories)
        return taken

    return play


def textarena(*, conversation: bool = False) -> Play:
    """TextArena's environment; with the wrapper that its ``make`` puts around it, the whole conversation is observed.

    The wrapper never forgets earlier episodes, so its history is cleared by hand.
    """
    offline_nltk()
    module: Any = importlib.import_module("textarena.envs.Wordle.env")
    module.pos_tag = lambda tokens: [(token, "NN") for token in tokens]
    env = module.WordleEnv(word_length=5, num_guesses=6)
    if conversation:
        env = importlib.import_module("textarena.wrappers").LLMObservationWrapper(env)
    guesses = guess_cycle("[{}]")

    def play(steps: int) -> int:
        taken = 0
        while taken < steps:
            env.reset(num_players=1)
            if conversation:
                env.full_observations = {}
            over = False
            while not over:
                env.get_observation()
                over, _ = env.step(next(guesses))
                taken += 1
        return taken

    return play


def gem(*, conversation: bool = False) -> Play:
    """GEM's environment; with its ``concat_with_action`` wrapper, the whole conversation is observed."""
    offline_nltk()
    env = importlib.import_module("gem.envs.game_env.wordle").WordleEnv(word_length=5, max_turns=6)
    if conversation:
        wrapper = importlib.import_module("gem.wrappers.observation_wrapper").ObservationWrapper
        env = wrapper(env, include_action=True, include_chat_template=False)
    return five_tuple(env, "\\boxed{{{}}}")


def offline_nltk() -> None:
    """NLTK's own reader on rftgym's words, and no download."""
    nltk: Any = importlib.import_module("nltk")
    folder = Path(tempfile.mkdtemp(prefix="rftgym-nltk-"))
    corpus = folder / "corpora" / "words"
    corpus.mkdir(parents=True)
    answers = words("answers.txt")
    basic = answers[::14][:170] + [word + "ing" for word in answers[:680]]
    (corpus / "en").write_text("\n".join(words("guesses.txt")))
    (corpus / "en-basic").write_text("\n".join(basic))
    nltk.data.path.insert(0, str(folder))
    nltk.download = lambda *args, **kwargs: False


CONTESTANTS: dict[str, Callable[[], Play]] = {
    "bare": bare,
    "bare, marks only": bare_marks_only,
    "rftgym step": rftgym_step,
    "rftgym gymnasium": rftgym_gymnasium,
    "rftgym rollout": rftgym_rollout,
    "TextArena": textarena,
    "TextArena, conversation": partial(textarena, conversation=True),
    "GEM": gem,
    "GEM, conversation": partial(gem, conversation=True),
}


# -------------------------------------------------------------------------------------------------------------- workers


def work(name: str) -> None:
    """In a contestant's process: answer each number of steps on stdin with steps and CPU seconds on stdout."""
    play = CONTESTANTS[name]()
    print(json.dumps({"ready": name}), flush=True)
    for line in sys.stdin:
        begin = time.process_time()
        taken = play(int(line))
        print(json.dumps({"steps": taken, "cpu_seconds": time.process_time() - begin}), flush=True)


class Worker:
    """A contestant's process. ``missing`` says why it cannot play, None when it can."""

    def __init__(self, name: str, python: str) -> None:
        self.name, self.missing = name, None
        command = [python, str(HERE), "--worker", name]
        with tempfile.TemporaryFile("w+") as errors:  # a pipe that nobody reads would fill up
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
            if not self._answer():
                self.process.wait()
                errors.seek(0)
                self.missing = (errors.read().strip().splitlines() or ["it said nothing"])[-1]

    def steps_per_second(self, steps: int) -> float:
        """Play one round."""
        print(steps, file=self.process.stdin, flush=True)
        answer = self._answer()
        return float(answer["steps"] / answer["cpu_seconds"])

    def _answer(self) -> dict[str, Any]:
        """The next line that is ours: libraries print too."""
        for line in self.process.stdout or ():
            if line.startswith('{"'):
                answer: dict[str, Any] = json.loads(line)
                return answer
        return {}

    def close(self) -> None:
        """Let the process end."""
        if self.process.poll() is None:
            self.process.communicate()


def measured(
    names: list[str], rounds: int, steps: int, python_other: str
) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Steps per CPU-second by contestant and round, after one round to warm up; and who could not play, and why."""
    workers = [
        Worker(name, sys.executable if name.startswith(("bare", "rftgym")) else python_other)
        for name in names
    ]
    missing = {worker.name: worker.missing for worker in workers if worker.missing is not None}
    playing = [worker for worker in workers if worker.missing is None]
    speeds: dict[str, list[float]] = {worker.name: [] for worker in playing}
    for number in range(rounds + 1):
        for worker in playing:
            speed = worker.steps_per_second(steps)
            if number:
                speeds[worker.name].append(speed)
    for worker in playing:
        worker.close()
    return speeds, missing


# --------------------------------------------------------------------------------------------------------------- report


def summary(speeds: dict[str, list[float]], missing: dict[str, str], steps: int) -> dict[str, Any]:
    """Medians, ratios within rounds, and which bars were met."""
    ratios = {
        f"{of} / {over}": statistics.median(a / b for a, b in zip(speeds[of], speeds[over], strict=True))
        for of in ("rftgym step", "rftgym rollout")
        for over in CONTESTANTS
        if of in speeds and over in speeds and not over.startswith("rftgym")
    }
    bars = {
        f"{of} / {over} >= {least:g}": ratios[f"{of} / {over}"] >= least
        for (of, over), least in BARS.items()
        if f"{of} / {over}" in ratios
    }
    if "rftgym rollout" in speeds:
        rollouts = statistics.median(speeds["rftgym rollout"])
        bars[f"rftgym rollout >= {ROLLOUT_BAR:,} steps per CPU-second"] = rollouts >= ROLLOUT_BAR
    return {
        "steps_per_cpu_second": {name: round(statistics.median(values)) for name, values in speeds.items()},
        "spread": {name: [round(min(values)), round(max(values))] for name, values in speeds.items()},
        "ratios": {name: round(value, 3) for name, value in ratios.items()},
        "bars": bars,
        "missing": missing,
        "rounds": min(map(len, speeds.values()), default=0),
        "steps_per_round": steps,
        "python": platform.python_version(),
    }


def show(result: dict[str, Any]) -> None:
    """The summary as text."""
    print(
        f"Wordle, steps per CPU-second: median of {result['rounds']} interleaved rounds, Python {result['python']}"
    )
    for name, speed in result["steps_per_cpu_second"].items():
        low, high = result["spread"][name]
        print(f"  {name:<24}{speed:>10,}    ({low:,} to {high:,})")
    for name, reason in result["missing"].items():
        print(f"  {name:<24}   missing    {reason}")
    print("ratios")
    for name, ratio in result["ratios"].items():
        print(f"  {name:<44}{ratio:>8.2f}")
    print("bars")
    for name, met in result["bars"].items():
        print(f"  {'met   ' if met else 'MISSED'} {name}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=6000, help="steps a contestant takes in a round")
    parser.add_argument(
        "--python-other", default=sys.executable, help="interpreter that has TextArena and GEM"
    )
    parser.add_argument("--only", help="contestants by name, separated by semicolons")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker)
        return
    names = [name.strip() for name in options.only.split(";")] if options.only else list(CONTESTANTS)
    unknown = [name for name in names if name not in CONTESTANTS]
    if unknown:
        parser.error(f"no contestant {unknown[0]!r}; there are {'; '.join(CONTESTANTS)}")
    result = summary(*measured(names, options.rounds, options.steps, options.python_other), options.steps)
    print(json.dumps(result, indent=2)) if options.json else show(result)


if __name__ == "__main__":
    main()
