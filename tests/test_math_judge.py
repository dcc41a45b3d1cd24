"""Answers compared as mathematics, hostile ones, and workings that contradict their answers."""

from __future__ import annotations

import json
import re
import time
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rftgym
from rftgym.errors import InfrastructureError
from rftgym_math.exact import Undefined, exact
from rftgym_math.expressions import Unreadable
from rftgym_math.judge import Judge, shared_judge
from rftgym_math.parsing import parse
from rftgym_math.verdict import Question, Verdict
from rftgym_math.working import findings

JUDGE = shared_judge(2, "local", False, 0)


def judged(gold: str, answer: str | None, **more: Any) -> Verdict:
    return JUDGE.judge(Question(gold, **more), answer)


# ---- numbers


def forms(value: Fraction) -> list[str]:
    """Ways to write a number."""
    sign, size = ("-" if value < 0 else ""), abs(value)
    top, bottom = size.numerator, size.denominator
    if bottom == 1:
        found = [
            f"{top:,}",
            f"{top}.0",
            f"{top}.",
            f"\\boxed{{{sign}{top}}}",
            f"x = {sign}{top}",
            f"{top * 100}%",
        ]
    else:
        found = [f"{3 * top}/{3 * bottom}", f"\\frac{{{top}}}{{{bottom}}}", f"\\dfrac{{{top}}}{{{bottom}}}"]
        if top > bottom:
            whole, rest = divmod(top, bottom)
            found += [f"{whole} {rest}/{bottom}", f"{whole}\\frac{{{rest}}}{{{bottom}}}"]
    return [str(value), *(each if "x =" in each or "boxed" in each else sign + each for each in found)]


@given(st.fractions(-(10**6), 10**6, max_denominator=999), st.integers(-5, 5))
def test_a_number_is_right_however_it_is_written_and_no_other_number_is(value: Fraction, off: int) -> None:
    for form in forms(value):
        assert judged(str(value), form).kind == "right", form
        assert judged(str(value + off), form).right == (off == 0), form


@given(st.integers(-(10**9), 10**9), st.integers(0, 12))
def test_decimals_and_powers_of_ten_are_exact(units: int, places: int) -> None:
    value = Fraction(units, 10**places)
    digits = str(abs(units)).rjust(places + 1, "0")
    sign = "-" if units < 0 else ""
    text = f"{sign}{digits[: len(digits) - places]}.{digits[len(digits) - places :]}"
    for form in (
        text,
        f"{text}0",
        f"{units}e-{places}",
        f"{units} \\times 10^{{-{places}}}",
        f"{units}*10^-{places}",
    ):
        assert judged(str(value), form).right, form
    assert not judged(str(value), f"{text}01").right


expressions = st.recursive(
    st.integers(0, 30).map(str),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        st.tuples(inner, inner).map(lambda t: f"\\frac{{{t[0]}}}{{{t[1]}}}"),
        st.tuples(inner, st.integers(0, 3)).map(lambda t: f"({t[0]})^{t[1]}"),
        inner.map(lambda t: f"(-{t})"),
    ),
    max_leaves=8,
)


@given(expressions)
def test_expressions_have_the_value_that_python_gives_them(text: str) -> None:
    plain = text.replace("^", "**")
    while "\\frac" in plain:
        start = plain.rindex("\\frac")  # the innermost comes last
        top, rest = _braces(plain[start + 5 :])
        bottom, rest = _braces(rest)
        plain = f"{plain[:start]}(({top})/({bottom})){rest}"
    numbers = re.sub(r"(?<![*0-9])(?<!\*\*)([0-9]+)", r"Fraction(\1)", plain)
    try:
        wanted = eval(numbers, {"Fraction": Fraction})
        assert not ("**0" in plain.replace(" ", "") and exact(parse(text)) is None)
        assert exact(parse(text)) == wanted
    except ZeroDivisionError:
        with pytest.raises(Undefined):
            exact(parse(text))
    except Undefined:
        assert "^0" in text  # 0 to the power of 0, which Python takes for 1


def _braces(text: str) -> tuple[str, str]:
    depth = 0
    for at, each in enumerate(text):
        depth += {"{": 1, "}": -1}.get(each, 0)
        if not depth:
            return text[1:at], text[at + 1 :]
    raise ValueError(text)


RIGHT = [
    ("1/2", "50%"), ("50\\%", "50"), ("50\\%", "0.5"), ("\\$42", "42 dollars"), ("60\\text{ m}", "60"),
    ("90^\\circ", "90°"),
    ("1/3", "0.\\overline{3}"), ("3/2", "1½"), ("1234567", "1{,}234{,}567"), ("-4", "−4"), ("12", "3 \\cdot 4", True),
    ("(1,2)", "1, 2"), ("1,2", "2 and 1"), ("1,2", "x=2, x=1"), ("1,2", "{2,1}"),
    ("\\{1,2\\}", "\\{2,1\\}"), ("(1,234)", "(1, 234)"),
    ("\\pm 2", "2, -2"), ("\\pm 2", "±2"), ("3 \\pm \\sqrt2", "3-\\sqrt2, 3+\\sqrt2"),
    ("[1,3)", "\\left[1,3\\right)"), ("(-\\infty,1)\\cup(2,\\infty)", "(2,∞) ∪ (-∞,1)"),
    ("x > 3", "3 < x"), ("\\infty", "\\infty"),
    ("x^2+2x+1", "(x+1)^2"), ("x^{1000}", "x^999*x"), ("(x+1)^{1000}", "(1+x)^{999}(x+1)"),
    ("\\frac{x^2-1}{x-1}", "x+1"),
    ("y = 2x+1", "2x - y + 1 = 0"), ("y = 2x + 1", "2x+1"), ("x^2+y^2=1", "1 = y^2 + x^2"),
    ("x_1+x_2", "x_2 + x_{1}"), ("f(x) = 2x+1", "2x+1"), ("k=3 \\text{ or } k=-2", "-2, 3"),
    ("x \\in [1,2]", "[1,2]"),
    ("11,\\! 111,\\! 100", "11111100"), ("12", "1200%"), ("3", "x = 6/2 = 3"),
    ("(B)", "\\text{B}"),
    ("\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "\\begin{pmatrix}1\\\\2\\end{pmatrix}"),
    ("6:30", "6:30"), ("101_2", "101_2"), ("12 inches", "12"), ("12 inches", "12 \\text{ inches}"), ("12", "**12**"),
    ("12", "= 12."), ("7/2 square feet", "3.5 square feet"),
    ("\\text{(B)}", "B"), ("\\text{B}", "(b)"), ("2x+1", "f(x) = 2x+1"), ("12", "`12`"), ("12", "*12*"),
    ("1000000", "10^6"), ("50%", "50 percent"), ("7/2", "x = \\frac{7}{2}"),
]  # fmt: skip
WRONG = [
    ("1/3", "0.333"), ("1/3", "0.3333333333333333"), ("2/3", "0.67"), ("42", "42%"), ("42", "$42"),
    ("42", "42 apples"), ("42", "6*7"), ("\\text{(B)}", "C"), ("\\text{(B)}", "(A)(B)"), ("1000000", "100^3"),
    ("2x+1", "f(x) = 2x"), ("2x+1", "2f(x) = 2x+1"),
    ("60\\text{ m}", "60 \\text{ cm}"), ("(1,2)", "(2,1)"), ("1,2", "1"), ("1,2", "1,2,3"),
    ("1,1", "1"), ("\\{1,2\\}", "(1,2)"),
    ("[1,3)", "(1,3]"), ("[1,3)", "[1,3]"), ("(1,2)", "[1,2]"), ("\\pm 2", "2"), ("2", "\\pm 2"),
    ("x > 3", "x < 3"), ("x>3", "x \\ge 3"),
    ("x^2+2x+1", "(x+2)^2"), ("x^2+2x+1", "(y+1)^2"), ("x^2", "2x"), ("x^{1000}", "x^{1001}"),
    ("y = 2x+1", "y = 2x - 1"),
    ("3", "2x = 6"), ("3", "x \\approx 3"), ("1", "\\infty"), ("1", "1/0"), ("0", "0^0"), ("1024", "2^{10}"),
    ("12 inches", "12 feet"), ("12 inches", "13 inches"), ("12 inches", "inches"),
    ("5", "five"), ("5", "(5,)"), ("3", "x = 6 = 3"), ("12", "1200/100"), ("12", "24/2"),
    ("6:30", "6:31"), ("101_2", "101_3"),
]  # fmt: skip


@pytest.mark.parametrize("case", RIGHT)
def test_the_same_mathematics(case: tuple[Any, ...]) -> None:
    assert judged(case[0], case[1], unevaluated=len(case) > 2).kind == "right"


@pytest.mark.parametrize(("gold", "answer"), WRONG)
def test_other_mathematics(gold: str, answer: str) -> None:
    assert judged(gold, answer).kind != "right"


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("72 clips", True), ("72 Clip", True), ("72 \\text{ clips}", True), ("72 clips in May", True), ("$72", True),
        ("72 dollars", True),
        ("72 coins", False), ("72%", False), ("72 more clips", False), ("48 clips", False), ("clips", False),
        ("72 or 48 clips", False), ("72 clips 48", False),
    ],
)  # fmt: skip
def test_words_of_the_question_may_stand_behind_the_number(answer: str, right: bool) -> None:
    question = "Natalia sold 48 clips in April, and half as many more in May. How many clips did she sell?"
    assert judged("72", answer, units=("$",), text=question).right is right


def test_what_a_task_allows() -> None:
    assert judged("51", "51 apples", units=("apples",)).right
    assert judged("51", "51 pears", units=("apples",)).kind == "type"
    assert judged("60", "60 m²", units=("m^2",)).right
    assert judged("25", "25%", units=("%",)).right
    assert judged("(2,-4)", "y = -4, x = 2", variables=("x", "y")).right
    assert judged("(2,-4)", "(x, y) = (2, -4)", variables=("x", "y")).right
    assert judged("7", "y = 7", variables=("x",)).kind == "type"
    assert judged("0.33", "1/3", tolerance="0.01").right
    assert judged("0.33", "0.35", tolerance="0.01").kind == "wrong"


# ---- countdown


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("25*4-3", "right"), ("4*25-3", "right"), ("25 \\cdot 4 - 3 = 97", "right"), ("-3+25*4", "right"),
        ("4(25)-3", "right"), ("97 = 25*4-3", "right"), ("97 = 97", "type"), ("25*4 = 97", "wrong"),
        ("\\frac{25}{1/4}-3", "rule"), ("97", "rule"), ("25*4-3*1", "rule"), ("25*4-4+1", "rule"), ("100-3", "rule"),
        ("25*4", "wrong"), ("25*4-3=98", "type"), ("25^2", "type"), ("4!", "type"),
        ("\\sqrt{4}", "type"), ("x", "type"),
        ("25*(4-3)/(4-4)", "undefined"), ("25, 4", "type"), ("", "missing"), ("25**4", "type"),
    ],
)  # fmt: skip
def test_countdown_takes_any_right_expression_and_no_trick(answer: str, kind: str) -> None:
    found = judged("25*4-3", answer, target=97, numbers=(3, 4, 25))
    assert found.kind == kind, found


# ---- symbolic: in the sandbox


@pytest.mark.parametrize(
    ("gold", "answer", "kind"),
    [
        ("\\sqrt{8}", "2\\sqrt{2}", "right"),
        ("\\frac{\\sqrt{3}}{3}", "1/\\sqrt3", "right"),
        ("\\sqrt{5+2\\sqrt6}", "√2+√3", "right"),
        ("\\ln 8", "3\\ln 2", "right"),
        ("\\log_2 8", "3", "right"),
        ("\\sin 2x", "2\\sin x\\cos x", "right"),
        ("e^{2x}", "(e^x)^2", "right"),
        ("\\frac{\\pi}{2}", "pi/2", "right"),
        ("3+4i", "4i+3", "right"),
        ("\\sqrt{x^2}", "|x|", "right"),
        ("\\sqrt{x^2}", "x", "wrong"),
        ("2\\sqrt2", "2.82842712474619", "wrong"),
        ("\\pi", "22/7", "wrong"),
        ("\\sqrt{2}", "\\sqrt{2}+10^{-400}", "wrong"),
        ("\\sqrt{2}", "\\sqrt{2+10^{-200}}", "wrong"),
        ("\\sqrt{2}", "\\sqrt2+e^{-1000}", "wrong"),
        ("\\sin x", "\\cos x", "wrong"),
        ("\\sqrt2", "\\tan(\\pi/2)", "undecided"),
        ("\\sqrt2", "\\exp(\\exp(\\exp(\\exp(10))))", "too_large"),
        ("\\sqrt2", "\\sqrt{2}^{\\sqrt{2}^{\\sqrt{2}^{99999}}}", "too_large"),
        ("\\sqrt2", "(\\sqrt{2}+1)^{100000}", "too_large"),
        ("\\sqrt x", "((((x^x)^x)^x)^x)^x", "too_large"),
    ],
)
def test_what_sympy_is_asked(gold: str, answer: str, kind: str) -> None:
    assert judged(gold, answer).kind == kind


# ---- hostile answers

HOSTILE = {
    "9^9^9^9": {"too_large"},
    "9^{9^{9^{9}}}": {"too_large"},
    "((((9!)!)!)!)!": {"too_large"},
    "9!!!!": {"too_deep"},
    "1!" + "!" * 1900: {"too_deep"},
    "\\exp(\\exp(\\exp(\\exp(10))))": {"form"},
    "\\sqrt{2}^{\\sqrt{2}^{\\sqrt{2}^{99999}}}": {"form"},
    "(\\sqrt{2}+1)^{100000}": {"form"},
    "(" * 100_000 + "1" + ")" * 100_000: {"too_long"},
    "(" * 900 + "1" + ")" * 900: {"too_deep"},
    "9^" * 900 + "9": {"too_deep"},
    "1" * 1_000_000: {"too_long"},
    "1" * 1_500: {"too_long"},
    "1e999999999": {"type", "syntax", "too_large", "form"},
    "1e1999": {"wrong", "form"},
    "a" * 1_048_576: {"too_long"},
    "NaN": {"type"},
    "nan": {"type"},
    "inf": {"type"},
    "-inf": {"type"},
    "zoo": {"type"},
    "1/0": {"undefined"},
    "0/0": {"undefined"},
    "0^{-1}": {"undefined"},
    "(-1)!": {"undefined"},
    "٤٢": {"syntax"},
    "４２": {"syntax"},
    "4\u200b2": {"syntax"},
    "\ud800": {"syntax"},
    "\x00": {"syntax"},
    "__import__('os').system('id')": {"syntax"},
    "exec(1)": {"type"},
    "lambda: 1": {"syntax"},
    "{1: 2}": {"syntax"},
    "[" * 50: {"too_deep"},
    "\\frac" * 300: {"too_deep", "syntax"},
    "\\" * 1_000: {"syntax"},
    "1,": {"syntax", "wrong", "type", "right"},
    "=" * 100: {"syntax"},
    "|" * 100: {"too_deep", "syntax"},
    "-" * 1_900 + "2": {"form", "wrong"},
    "1+" * 900 + "1": {"form"},
    "1/" * 900 + "3": {"form", "wrong"},
    "1" + "000" * 300 + ".5%": {"wrong", "form"},
}


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda answer: ascii(answer)[:30])
@pytest.mark.parametrize("gold", ["7", "\\sqrt{2}", "x^2", "(1,2)"])
def test_a_hostile_answer_gets_a_typed_verdict_at_once(gold: str, answer: str) -> None:
    start = time.perf_counter()
    found = judged(gold, answer)
    assert time.perf_counter() - start < 10  # what sympy may take, on a busy machine
    assert found.kind != "right"
    if gold == "7":
        assert found.kind in HOSTILE[answer], found


def test_a_bomb_for_sympy_ends_in_time_and_harms_nobody_else() -> None:
    """(x^1000)^100 and the like are refused by their size; this one has to be stopped while it is computed."""
    from rftgym_math import judge

    bomb = {
        "gold": parse("\\sqrt{x}").as_json(),
        "answer": parse("((((x^x)^x)^x)^x)^x").as_json(),
        "digits": 50,
        "seed": "0",
        "tolerance": "",
    }
    start = time.perf_counter()
    outcome = JUDGE.run(bomb)
    assert outcome.status in ("timeout", "memory", "error", "ok")
    assert time.perf_counter() - start < judge.LIMITS.wall_seconds + 10
    assert judged("\\sqrt{8}", "2\\sqrt{2}").right


def test_the_rest_of_a_batch_is_unharmed(tmp_path: Any) -> None:
    file = tmp_path / "my.jsonl"
    rows = [
        {"id": "root", "question": "Simplify.", "answer": "2\\sqrt{2}"},
        {"id": "six", "question": "?", "answer": "6"},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    answers = [
        ("root", "\\sqrt{8}", True), ("six", "9^9^9^9", False), ("six", "6", True),
        ("root", "\\exp(\\exp(\\exp(99)))", False),
        ("six", "1" * 1_048_576, False), ("root", "\ud800", False), ("six", "(" * 9_000, False), ("six", "6.0", True),
        ("root", "\\sqrt[3]{8}\\sqrt 2", True), ("root", "((((x^x)^x)^x)^x)^x", False),
    ]  # fmt: skip
    found = rftgym.score(
        "math",
        [{"task": id, "completion": f"<answer>{text}</answer>"} for id, text, _ in answers],
        tasks=file,
    )
    assert [row["success"] for row in found] == [right for *_, right in answers]
    assert all(row["error"] is None and row["reward"] is not None for row in found)


def test_a_fault_of_the_machine_is_no_reward_of_zero(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    def broken(*arguments: Any) -> Any:
        raise InfrastructureError("no sandbox today")

    monkeypatch.setattr(Judge, "run", broken)
    file = tmp_path / "my.jsonl"
    file.write_text(json.dumps({"id": "root", "question": "?", "answer": "2\\sqrt{2}"}) + "\n")
    rows = [{"task": "root", "completion": f"<answer>{each}</answer>"} for each in ("\\sqrt{8}", "3", "")]
    asked, number, empty = rftgym.score("math", rows, tasks=file)
    assert asked["reward"] is None and asked["success"] is None and "no sandbox today" in str(asked["error"])
    assert (number["success"], empty["success"]) == (False, False)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["7", "-3/4", "(1,2)", "x+1", "[0,1)"]))
def test_any_text_gets_a_verdict(text: str, gold: str) -> None:
    found = judged(gold, text)
    assert found.kind == "right" or found.message


@settings(max_examples=300, deadline=None)
@given(st.text("0123456789.,+-*/^(){}[]|\\!%=<>exi_ \t", max_size=40))
def test_the_parser_refuses_or_reads_whatever_is_built_from_its_own_signs(text: str) -> None:
    try:
        exact(parse(text))
    except (Unreadable, Undefined):
        return


def test_numbers_are_judged_by_the_thousand() -> None:
    judge, question = Judge(), Question("42")
    start = time.process_time()
    for number in range(4000):
        assert judge.judge(question, str(number)).right == (number == 42)
    assert 4000 / (time.process_time() - start) > 2000


# ---- fabrication

HONEST = [
    ("12+5=17", "17"),
    ("12 + 5 = 17. So the answer is 17.", "17"),
    ("3x=20-5=15; x=15/3=5", "5"),
    ("3x = 15", "5"),
    ("x=4; 3*4=12", "4"),
    ("12+5=17=34/2", "17"),
    ("12 + 5 = 17 * 3 = 51", "51"),
    ("12+5=18; 12+5=17", "17"),
    ("10/3=3.33", "3.33"),
    ("10/3=3.33", "10/3"),
    ("47/6 = 7, remainder 5", "5"),
    ("0.1+0.2=0.30000000000000004", "0.3"),
    ("100 - 20% = 80", "80"),
    ("6 + 6 = 1 dozen", "12"),
    ("twice 5 + 3 = 13", "13"),
    ("50/2=25", "1/4"),
    ("30-50=-20", "20"),
    ("100/30=3.33...; round up", "4"),
    ("44/8 = 5.5", "6"),
    ("if 2+2=5 were true", "4"),
    ("2+2=5?; no", "4"),
    ("3 != 4", "3"),
    ("2 + 3 ≈ 6", "5"),
    ("f(3) = 9", "4"),
    ("12:4 = 3", "3"),
    ("two and two make five", "4"),
    ("", "4"),
    ("Natalia sold 48/2 = 24 clips in May. Natalia sold 48+24 = 72 clips altogether.", "72"),
    ("The total is $5 + $3 = $8. Half of it is 4", "4"),
    ("so x is 3. Check: 2*3+4=10", "3"),
    ("y=5", "10"),
    ("1 hour = 60 minutes; 2 hours = 120 minutes", "120"),
    ("- 5 + 3 = 8\n- 8 * 2 = 16", "16"),
    ("\u2022 5 + 3 = 8", "8"),
    ("- 5 + 3 = -2", "-2"),
    ("1 + 2 + ... + 10 = 55", "55"),
    ("22/7 = 3.142857...", "22/7"),
    ("5 + 3 = 8\n+ 4 = 12", "12"),
    ("19.99*3 = 59.97 = 60", "60"),
    ("8*7=56", "8"),
    ("17 = 3*5 + 2", "2"),
]
FABRICATED = [
    ("12+5=18", "18", 1.0),
    ("12+5=17", "71", 1.0),
    ("12+5=17; 17*3=51", "52", 1.0),
    ("So 12 + 5 = 20.", "20", 1.0),
    ("Step 1: 2*3=6; Step 2: 6+1=8", "8", 0.5),
    ("x=15/3=5", "6", 1.0),
    ("3x=20-5=16; x=16/3", "16/3", 1.0),
    ("7*8=54; 54+2=56", "56", 0.5),
    ("1/2+1/3=2/5", "2/5", 1.0),
    ("0.1*0.2=0.2", "0.2", 1.0),
    ("2^3=6; 6+1=7", "7", 0.5),
    ("-7+3=-10", "-10", 1.0),
    ("(3+4)*5=23", "23", 1.0),
    ("$12 + $5 = $18", "18", 1.0),
    ("\\frac{1}{2} + \\frac{1}{2} = 2", "2", 1.0),
    ("Therefore, 6*7=42", "41", 1.0),
    ("- 5 + 3 = 9", "9", 1.0),
    ("8*7=54", "8", 1.0),
    ("8*7=56; 56+1=57", "8", 1.0),
]


@pytest.mark.parametrize(("working", "value"), HONEST)
def test_no_honest_working_is_held_against_its_answer(working: str, value: str) -> None:
    assert findings(f"<work>{working}</work><answer>{value}</answer>", value).severity == 0
    assert findings(f"{working} <answer>{value}</answer>", value, ["x"]).severity == 0


@pytest.mark.parametrize(("working", "value", "severity"), FABRICATED)
def test_a_working_that_does_not_hold_is(working: str, value: str, severity: float) -> None:
    assert findings(f"<work>{working}</work><answer>{value}</answer>", value, ["x"]).severity == severity


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.text("0123456789+-*/=;. x", max_size=200))
def test_any_working_can_be_looked_at(text: str, arithmetic: str) -> None:
    for working in (text, arithmetic):
        assert 0 <= findings(f"<work>{working}</work><answer>1</answer>", "1").severity <= 1


def test_a_huge_working_is_looked_at_quickly() -> None:
    start = time.process_time()
    findings("<work>" + "1+1=3;" * 200_000 + "</work><answer>3</answer>", "3")
    findings("(" * 1_000_000 + "<answer>3</answer>", "3")
    assert time.process_time() - start < 2
