"""The rules of conformance: of each what it is about, why it matters for training, and what to do about a breach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: kebab case.
        about: what is examined, in one line.
        why: a breach matters for training.
        cure: what to do about it.
        explains: rules whose breach follows from a breach of this one.
        each_place: breaches in two places are two findings.
    """

    id: str
    about: str
    why: str
    cure: str
    severity: Severity = "error"
    explains: tuple[str, ...] = ()
    each_place: bool = False


_OTHER_EPISODES = (
    "not-deterministic",
    "leaks-across-reset",
    "not-isolated",
    "not-thread-safe",
    "not-copyable",
    "other-process-differs",
    "gymnasium",
)
_RAISED = ("raises", "gymnasium")

MAKING = (
    Rule(
        "cannot-be-made",
        "the constructor works, without arguments",
        "Nothing else can happen before there is an environment.",
        "Read the traceback's last line; give every argument a default.",
        explains=("raises", "not-remakeable"),
    ),
    Rule(
        "network-in-constructor",
        "no connection is opened and no name resolved in the constructor or by make_tasks",
        "Every worker process makes the environment again: a run would hammer a server, differ by the day, and stop "
        "without a network.",
        "Ship the data with the package, or fetch them by a command of their own.",
        explains=("cannot-be-made", "network-in-source", "raises"),
    ),
    Rule(
        "writes-in-constructor",
        "no file is written in the constructor, save in a temporary folder",
        "Several workers make the environment at the same moment and would write over each other.",
        "Ship the file with the package, or write below tempfile.mkdtemp().",
        "warning",
    ),
    Rule(
        "slow-constructor",
        "the constructor is done within 10 seconds of CPU",
        "Every worker process and every evaluation pays for it again.",
        "Load what is large on first use, or cache it with functools.lru_cache.",
        "warning",
    ),
    Rule(
        "unknown-argument-accepted",
        "the constructor refuses an argument that it does not know",
        "A misspelt setting would change nothing, in silence, and its run would be compared with others as if it had.",
        "Take named arguments; hand **kwargs on to super().__init__(), which refuses what it does not know.",
    ),
    Rule(
        "environment-variables-changed",
        "os.environ stays as it is",
        "It is the whole process's: another environment, a library or a child process reads what you wrote.",
        "Pass settings as arguments; give a child process a mapping of its own: subprocess.run(..., env=...).",
    ),
    Rule(
        "working-directory-changed",
        "the working directory stays where it is",
        "Runs write relative to it, and every other thread goes along with it.",
        "Use whole paths, or subprocess.run(..., cwd=...).",
        explains=("raises",),
    ),
    Rule(
        "prints-to-stdout",
        "nothing is printed",
        "Commands print JSON there, for other programs; thousands of episodes would drown what a person looks for.",
        "Put what is worth telling into Response.info, or use the logging module.",
        "warning",
    ),
    Rule(
        "global-random-state",
        "the process's generators (random, numpy, torch) are neither drawn from nor seeded",
        "They are everybody's: sampling, other environments and the shuffling of tasks change with it, and no run "
        "can be repeated.",
        "Draw from the rng that is passed, or from random.Random(seed).",
        explains=(
            *_OTHER_EPISODES,
            "reward-not-deterministic",
            "item-not-pure",
            "ids-unstable",
            "global-random-call",
            "solution-not-repeatable",
        ),
    ),
    Rule(
        "not-remakeable",
        "another process can make the environment from its spec",
        "Scorers, benchmarks and vectorised environments work in processes of their own and make it again there.",
        "Keep the class at the top of an importable module, and its arguments JSON values.",
        explains=("not-picklable",),
    ),
    Rule(
        "not-picklable",
        "reward functions can be sent to another process",
        "An environment that no id stands for can only travel as it is; a lambda or a nested function cannot.",
        "Define reward functions at the top of a module.",
        "warning",
    ),
    Rule(
        "plugin-broken",
        "the plugin's module can be imported and its hooks are right",
        "A plugin that does not load is left out of everything.",
        "Read the reason; rftgym/hookspecs.py is the whole contract.",
    ),
    Rule(
        "heavy-plugin-import",
        "the plugin's module imports nothing heavy",
        "rftgym imports it at every start: --help and list would take seconds for everybody who has it installed.",
        "Register entry points as strings, and import in the module that they name.",
        "warning",
    ),
)

TASKS = (
    Rule(
        "no-train-tasks",
        "split 'train' has tasks",
        "There is nothing to train on.",
        "make_tasks() must give tasks of split 'train'.",
        explains=("raises",),
    ),
    Rule(
        "no-held-out-tasks",
        "splits 'validation' and 'test' have tasks",
        "`train` measures on them before, meanwhile and after; on what was trained on, the figure would be memory.",
        "Give some tasks these splits; or train with --set evaluation.split=train --set evaluation.every=0.",
        "warning",
    ),
    Rule(
        "item-not-pure",
        "item(split, index, seed) depends on its arguments only",
        "A group's episodes would be of different tasks, and a resumed run would go on with others.",
        "Make each item from a generator seeded by split, seed and index, as ProceduralTaskset does.",
        explains=("ids-unstable", "by-id", *_OTHER_EPISODES),
    ),
    Rule(
        "ids-unstable",
        "two environments of the kind have the same tasks under the same ids",
        "Results are compared by id: between runs, releases and machines.",
        "Derive ids from what a task is, never from when or where it was made.",
        explains=("by-id", "raises", "not-remakeable", *_OTHER_EPISODES),
    ),
    Rule(
        "id-not-unique",
        "an id names one task",
        "What an episode was about could not be told from its record.",
        "Ids must be unique over all splits: put the split's name in front.",
        explains=("by-id",),
    ),
    Rule(
        "splits-overlap",
        "no problem is in two splits",
        "What is trained on must not be tested on: the figure would be memory and not skill.",
        "Keep the splits apart, say by ranges of values or by a hash of the problem.",
    ),
    Rule(
        "wrong-split",
        "a task says the split that it was asked from",
        "Evaluations on held-out tasks would report the wrong split.",
        "Give Task the split that item() was asked for.",
        explains=("by-id", "raises"),
    ),
    Rule(
        "by-id",
        "by_id finds what item gives, and refuses what is not there",
        "Replays, files of answers and resumed runs look tasks up by their id.",
        "by_id must return the very task, and raise rftgym.errors.UsageError for an id that there is not.",
        explains=("reset-options",),
    ),
    Rule(
        "difficulty-range",
        "difficulty is None, or from 0 to 1",
        "Curricula and reports sort tasks by it.",
        "Scale it: 0 is easy, 1 is hard.",
    ),
    Rule(
        "task-not-json",
        "ids are text and data are JSON values",
        "Tasks are stored with every episode and sent to other processes.",
        "Use plain values: text, numbers, lists and mappings with text as keys.",
        explains=("not-storable",),
    ),
    Rule(
        "size-wrong",
        "size() is None or the number of items that there are; 0 for an unknown split",
        "The walk over a split would stop with an error in the middle of a run.",
        "size(split) must count what item(split, index) gives.",
        explains=("raises",),
    ),
)

EPISODES = (
    Rule(
        "raises",
        "nothing raises where nothing should",
        "Such an episode is lost: it is masked out of the update, or ends the run.",
        "Read the exception; what a policy says is data and no reason to raise.",
    ),
    Rule(
        "nothing-to-answer",
        "the first messages end with one of the user",
        "There would be nothing for the policy to answer.",
        "begin() returns a text, or messages of which the last has role 'user'.",
        explains=_RAISED,
    ),
    Rule(
        "observation-space",
        "observations are text of at most 65,536 characters",
        "It would not fit into any context window, and Gymnasium's wrappers refuse it.",
        "Shorten it.",
        explains=_RAISED,
    ),
    Rule(
        "half-characters",
        "observations can be written as UTF-8: they hold no lone surrogates",
        "No tokenizer takes them, so the episode fails before the policy has said anything.",
        "Decode bytes with errors='replace', and cut no text between the halves of a character.",
    ),
    Rule(
        "five-tuple",
        "step gives (text, float, bool, bool, dict)",
        "Trainers and wrappers rely on the types: a reward that is an int or a tensor breaks sums and JSON.",
        "Leave step() as it is and override respond().",
        explains=("gymnasium", "reward-sum", "raises"),
    ),
    Rule(
        "gymnasium",
        "gymnasium.utils.env_checker.check_env passes",
        "Wrappers and other trainers count on it.",
        "See gymnasium.utils.env_checker.",
    ),
    Rule(
        "reset-options",
        "reset poses the task or split that was asked for, and refuses what is not there",
        "A group plays one task several times; a misspelt split must not silently be another.",
        "Leave reset() as it is and override begin().",
    ),
    Rule(
        "parser-raises",
        "the parser accepts any text",
        "Models write anything, early in training above all: each such episode would be lost.",
        "Return Parsed(None, False) where there is no answer.",
        explains=("raises", "step-raises"),
    ),
    Rule(
        "step-raises",
        "respond accepts any completion",
        "Models write anything, early in training above all: each such episode would be lost.",
        "An odd completion is data: say in the observation what is wrong with it.",
        explains=_RAISED,
    ),
    Rule(
        "silent-turn",
        "while the episode goes on, respond says something",
        "The policy would have nothing to answer.",
        "Give Response an observation, or terminated=True.",
        explains=("raises", "step-raises", "gymnasium"),
    ),
    Rule(
        "episode-never-ends",
        "an episode ends after max_turns at the latest, and takes no step after its end",
        "A batch waits for its last episode.",
        "Leave step() and advance() as they are.",
        explains=("over-long", "raises", "hangs"),
    ),
    Rule(
        "over-long",
        "a completion of more than max_completion_chars truncates the episode",
        "Length is the first thing that a policy runs away with: it must neither be paid for nor crash a judge.",
        "Leave advance() as it is; set max_completion_chars.",
    ),
    Rule(
        "slow-on-long",
        "time grows with the length of a completion, not with its square",
        "One such completion holds up a whole batch, and models do write the same bracket ten thousand times.",
        "Look for nested quantifiers in regular expressions, and for loops that copy the rest of the text.",
        explains=("hangs",),
    ),
    Rule(
        "hangs",
        "every examination comes to an end (an error where it computes on, a warning where it waits)",
        "A batch waits for its slowest episode, and a run for its batch.",
        "Give whatever may wait a time limit; on a busy machine, check again with more --seconds.",
    ),
    Rule(
        "info-not-json",
        "Response.info holds JSON values",
        "Trajectories are stored, reports and replays read them.",
        "Use plain values: no sets, no objects, no arrays, no NaN.",
        explains=("not-storable", "other-process-differs", "gymnasium"),
    ),
    Rule(
        "score-misplaced",
        "info has 'score' at the end of an episode and nowhere else",
        "That is where trainers and wrappers take it from.",
        "Leave step() as it is.",
    ),
    Rule(
        "reward-sum",
        "the rewards of the steps sum to the score",
        "A trainer that learns from steps and one that learns from scores would pursue different aims.",
        "Leave step() as it is; pay per turn by components with per='turn'.",
    ),
    Rule(
        "not-storable",
        "an episode comes back from the run directory as it was",
        "Reports, replays and resumed runs read what was written.",
        "Let answers and info be text, numbers, lists, tuples and mappings.",
    ),
    Rule(
        "rendering",
        "render() in mode 'ansi' gives text",
        "`rftgym play` and videos of episodes show it.",
        "rendered() must return a string.",
    ),
)

REWARDS = (
    Rule(
        "reward-raises",
        "reward functions can judge anything",
        "Each such episode is masked out of the update; with many of them the run stops.",
        "Judge it, or return None for 'cannot be scored'.",
    ),
    Rule(
        "reward-not-a-number",
        "a reward function returns a number or None",
        "Such an episode is masked out of the update.",
        "Return a float; None means that it cannot be scored.",
    ),
    Rule(
        "reward-always-none",
        "a reward function can score some episode",
        "None is 'cannot be scored': no episode has a reward, and the run ends at its first batch.",
        "Is a `return` missing? For an answer that is wrong return 0.0; a reward alone may need another --on ENV.",
        explains=("solution-fails", "gymnasium"),
    ),
    Rule(
        "reward-not-finite",
        "rewards are finite",
        "One infinity or NaN in a group makes the whole group's advantages useless, so that it is masked.",
        "Guard divisions and logarithms; return None where there is no value.",
    ),
    Rule(
        "reward-out-of-bounds",
        "rewards keep to their declared bounds",
        "Weights are chosen by them, and the episode is masked out of the update.",
        "Clip the value, or declare bounds=(low, high) as they are.",
    ),
    Rule(
        "reward-unbounded",
        "every component declares its bounds",
        "One wild value would outweigh everything else in its group.",
        "Declare bounds=(low, high).",
        "warning",
    ),
    Rule(
        "reward-timeout",
        "a call is done within its component's timeout",
        "Such an episode is masked out of the update, after the whole batch waited for it.",
        "Make it quicker, or raise timeout_seconds.",
    ),
    Rule(
        "reward-not-deterministic",
        "the same episode earns the same twice, unless the component is declared stochastic",
        "Noise in the reward is variance in every update, and a replay cannot be verified.",
        "Use the argument rng, which is the same whenever the turn is judged; or declare stochastic=True.",
        explains=_OTHER_EPISODES,
    ),
    Rule(
        "reward-changes-episode",
        "reward functions leave the trajectory as it is",
        "The next component, the trainer and the record would see another episode than was played.",
        "Copy what you change.",
        explains=("reward-not-deterministic", "not-storable"),
    ),
    Rule(
        "success-out-of-reach",
        "the success component's bounds reach its passes_at",
        "No episode could ever count as a success.",
        "Raise the upper bound, or lower passes_at.",
        explains=("solution-fails",),
    ),
    Rule(
        "reward-constant",
        "rewards differ between a solution and nonsense",
        "Advantages are differences within a group: where all are paid the same, nothing is learned.",
        "Give the component that says success a weight.",
        explains=("empty-answer-paid", "solution-not-best"),
    ),
    Rule(
        "solution-fails",
        "what demonstrate() shows succeeds",
        "Warm starts and few-shot prompts would teach mistakes; or the judge denies what is right.",
        "Play it and look at info['score'].components: either the solution is wrong or the judge is.",
        explains=("solution-not-best", "reward-constant", "empty-answer-paid"),
    ),
    Rule(
        "solution-not-best",
        "nothing that fails earns as much as a solution",
        "Training finds what pays, and that would not be solving the task.",
        "Give success more weight than everything else together, or put the rest behind a gate (needs=).",
    ),
    Rule(
        "solution-shape",
        "in what demonstrate() and demonstrations() show, user and assistant take turns, the user first",
        "Chat templates refuse anything else, and supervised fine-tuning learns from it.",
        "Show the conversation as the episode goes, up to the last completion.",
    ),
    Rule(
        "solution-not-repeatable",
        "demonstrations of one seed are the same twice",
        "A warm start could not be repeated.",
        "Draw from a generator made from the seed.",
    ),
    Rule(
        "empty-answer-succeeds",
        "saying nothing, and the like, is no success",
        "It is the first thing that a policy would learn to say.",
        "Count as success only what was found in an answer, and compare it exactly.",
        explains=("empty-answer-paid", "solution-not-best", "over-long"),
    ),
    Rule(
        "empty-answer-paid",
        "saying nothing, and the like, earns the least that there is",
        "A reward for nothing is the easiest to find, and a policy stays there.",
        "Put components that need no solution behind a gate (needs=), or take their weight away.",
    ),
)

ISOLATION = (
    Rule(
        "not-deterministic",
        "the same seed and completions make the same episode",
        "Members of a group must face the same task, and a run must be repeatable.",
        "Draw from the rng that is passed, nothing else: no clock, no os.urandom, no uuid.",
        explains=tuple(
            name for name in _OTHER_EPISODES if name not in ("not-deterministic", "leaks-across-reset")
        ),
    ),
    Rule(
        "leaks-across-reset",
        "an episode does not depend on those before it",
        "What the policy meets would depend on the order in which a batch was played, and a resumed run would differ.",
        "Keep all state in what begin() returns, and make it anew there.",
        explains=(
            "not-isolated",
            "not-thread-safe",
            "not-copyable",
            "gymnasium",
            "other-process-differs",
            "mutable-class-attribute",
            "leaks-memory",
        ),
    ),
    Rule(
        "not-isolated",
        "an episode does not depend on those beside it",
        "A batch plays hundreds of episodes turn by turn, side by side.",
        "Keep all state in what begin() returns, never in self, in the class or in the module.",
        explains=("not-thread-safe", "not-copyable", "mutable-class-attribute"),
    ),
    Rule(
        "not-thread-safe",
        "environments can be used in several threads at once",
        "Slow environments are stepped in threads; rewards are computed in threads of their own.",
        "Keep no scratch values in self, in the class or in the module; pass them as arguments.",
    ),
    Rule(
        "not-copyable",
        "the state survives copy.deepcopy: snapshot() and restore()",
        "Search, branching and vectorised environments go back to a snapshot and go on from it.",
        "Keep all state in what begin() returns: no open files, generators or module globals in it.",
    ),
    Rule(
        "other-process-differs",
        "the same seed makes the same episode in another process",
        "Work is spread over processes, and a run must be repeatable tomorrow.",
        "Do not iterate over sets, nor use hash() of text or id(): they differ between processes.",
        explains=("set-order", "hash-of-text"),
    ),
    Rule(
        "leaks-resources",
        "threads, processes and open files do not grow from episode to episode",
        "A run plays hundreds of thousands of episodes; the system's limit ends it in the night.",
        "Close what begin() opens, or keep one for all episodes.",
        explains=("leaks-memory",),
    ),
    Rule(
        "leaks-memory",
        "memory does not grow from episode to episode",
        "A run plays hundreds of thousands of episodes.",
        "Look for lists that only grow, and for caches without a limit.",
        "warning",
    ),
)

SOURCE = (
    Rule(
        "global-random-call",
        "no call of the process's generators in the source",
        "They are everybody's: no run could be repeated.",
        "Draw from the rng that is passed, or from random.Random(seed).",
        "warning",
        each_place=True,
    ),
    Rule(
        "clock-in-judging",
        "no time of day where a completion is judged",
        "The same answer would earn something else tomorrow.",
        "Judge the answer alone; time.monotonic() is the clock for time limits.",
        "warning",
        each_place=True,
    ),
    Rule(
        "swallowed-exception",
        "no `except Exception` that makes a number of a failure",
        "A bug of the judge would teach the policy that its right answers are wrong.",
        "Let it raise (it is recorded, and the episode is masked), return None, or name the exceptions you expect.",
        "warning",
        each_place=True,
    ),
    Rule(
        "assert-on-completion",
        "no assert where a completion is judged",
        "An odd completion would be lost as a failure; under python -O the check would not be there at all.",
        "Use if, and say in the observation or in the value what is wrong.",
        "warning",
        each_place=True,
    ),
    Rule(
        "runs-untrusted-text",
        "no eval, exec, pickle, unsafe YAML or shell on what a model wrote",
        "A policy in training tries everything: it will find out how to run code in your process, and be paid.",
        "Parse it (ast.literal_eval, json.loads, yaml.safe_load), or run it in a sandbox (registry.make_sandbox).",
        each_place=True,
    ),
    Rule(
        "shell",
        "no subprocess with shell=True",
        "What a model wrote may reach it.",
        "Give the arguments as a list, without a shell.",
        "warning",
        each_place=True,
    ),
    Rule(
        "set-order",
        "no text made from a set in the set's own order",
        "It differs between processes (PYTHONHASHSEED).",
        "Sort it: sorted(...).",
        "warning",
        each_place=True,
    ),
    Rule(
        "hash-of-text",
        "no hash() outside of __hash__",
        "Of text it differs between processes (PYTHONHASHSEED).",
        "Use hashlib or zlib.crc32.",
        "warning",
        each_place=True,
    ),
    Rule(
        "network-in-source",
        "no download in the constructor's source",
        "Every worker process makes the environment again.",
        "Ship the data with the package, or fetch them by a command of their own.",
        "warning",
        each_place=True,
    ),
    Rule(
        "mutable-class-attribute",
        "no method changes a list, dict or set of the class",
        "All environments of the process share it: episodes would depend on each other.",
        "Make it in begin(), as part of the state.",
        "warning",
        each_place=True,
    ),
)

ALL = (*MAKING, *TASKS, *EPISODES, *REWARDS, *ISOLATION, *SOURCE)
RULES: dict[str, Rule] = {rule.id: rule for rule in ALL}
