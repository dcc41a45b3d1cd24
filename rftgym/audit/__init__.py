"""An executed audit of a reward: how much is paid to whoever does not solve the task?

Probes (``rftgym list probe``; the hook ``rftgym_probes``) and the environment's own
:meth:`rftgym.TextEnv.cheats` say things that should not win; the environment's own rubric, with whatever
rewards were added to it, scores them.

Of each task:

floor
    the lowest reward of anything that was tried on it, the solution included; penalties (components that can only
    take away) are left out of it, since whoever avoids a penalty has not earned anything;
gold
    what the environment's own solution earns (:meth:`rftgym.TextEnv.demonstrate`); where it knows none, the most that
    the rubric can pay, without what nothing that was tried earned (success aside): it may be out of reach, and would
    make every gap small;
gap of an attempt
    (reward - floor) / (gold - floor). Where the solution earns no more than the floor, the reward cannot tell: 1.

A *policy* says by one rule what it says on every task, without knowing the answer: "the third way of the
probe X". Its gap is its mean over the tasks; where it has nothing to say, or cannot be scored, it counts 0
there. A task of which neither a solution nor the most that can be paid is known counts nowhere. The **gameability
gap** is the largest gap of any policy; of a mix, each part has its policies, so that no part hides behind the others.

What is right by luck is no gaming: where a policy wins, and its parsed answer is the solution's
(:meth:`rftgym.TextEnv.same_answer`), it counts 0 in the gap, and what luck pays stands beside it. No reward
for results can tell a guess among four from knowledge: a policy that guesses has luck 0.25 and, in a sound
environment, a gap near 0. But luck has an end: a policy that is right on more than half of the tasks has found
the answer somewhere, and counts in full. So does a win with another answer than the solution's; it is shown.

Partial credit is part of the gap. A stage that pays 0.15 for code which merely runs pays it to a function
without content too; the report says which components paid.

Probes that *spoil* start from the solution and make it wrong, so they are no policies and not in the
figure. What they are for is the judge: a spoilt solution that is called a success means that the judge lets
something pass, or that the change changed nothing that matters. The report gives the share and shows them.
What spoilt solutions that lose are paid is honest partial credit and is reported beside it.
"""

from rftgym.audit.attempts import Attempt
from rftgym.audit.figures import Audit, Policy
from rftgym.audit.run import audit
from rftgym.audit.tried import Tried

__all__ = ["Attempt", "Audit", "Policy", "Tried", "audit"]
