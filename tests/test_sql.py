"""The environment sql: what is right, what is refused, and what a hostile query can do (nothing)."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rftgym
from rftgym import Task, TextEnv
from rftgym.errors import UsageError
from rftgym.tasks import SPLITS
from rftgym.testing import check_env
from rftgym_sql import jobs
from rftgym_sql.answers import SqlParser
from rftgym_sql.catalogue import by_split, task_of
from rftgym_sql.compare import same
from rftgym_sql.duck import DuckDatabase, without_references
from rftgym_sql.env import SqlEnv
from rftgym_sql.judge import BOUNDS, STATES, Judge
from rftgym_sql.mutants import KINDS, mutants
from rftgym_sql.processes import Setting
from rftgym_sql.results import Bounds, Unfit
from rftgym_sql.sqlite import SqliteDatabase
from rftgym_sql.states import states
from rftgym_sql.tokens import complaint, tokens, unsteady, without_end

WRONG = Path(__file__).with_name("wrong_answers") / "sql.jsonl"
SLOWEST_SECONDS = 20.0
"""For a hostile query, on a machine that does other things: it gets 2 s of processor time."""
OWN: dict[str, Any] = {
    "id": "mine-1",
    "schema": "CREATE TABLE pets (id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT, age INTEGER);"
    "CREATE TABLE visits (id INTEGER PRIMARY KEY, pet_id INTEGER REFERENCES pets (id), fee REAL);",
    "question": "How many visits had each pet older than 3? Pets without any have 0.",
    "query": "SELECT p.name, COUNT(v.id) FROM pets p LEFT JOIN visits v ON v.pet_id = p.id WHERE p.age > 3 "
    "GROUP BY p.id, p.name",
    "difficulty": 0.4,
}


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    found = Judge(Setting(workers=1))
    yield found
    found.close()


@pytest.fixture(scope="module")
def duck() -> Iterator[Judge]:
    found = Judge(Setting("duckdb", workers=1))
    yield found
    found.close()


@pytest.fixture(scope="module")
def env() -> TextEnv[Any]:
    return rftgym.make("sql")


def template(name: str, *, engine: str = "sqlite", number: int = 0) -> Task:
    """A task about a template, "shop/orders-each"."""
    for split in SPLITS:
        for schema, each in by_split()[split]:
            if f"{schema.name}/{each.name}" == name:
                return task_of(schema, each, engine, Random(f"{name}:{number}"), f"{split}-{number}-0", split)
    raise KeyError(name)


def file_of(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    path = tmp_path / "my.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


# ---- the contract


def test_contract() -> None:
    completions = [
        "```sql\nSELECT name FROM products\n```",
        "<answer>SELECT COUNT(*) FROM books</answer>",
        "```sql\nDROP TABLE books\n```",
        "SELECT 1",
    ]
    check_env("sql", completions=completions, processes=False)


@pytest.mark.slow
def test_contract_in_other_processes() -> None:
    check_env("sql", completions=["```sql\nSELECT name FROM products\n```"])


def test_there_are_enough_questions_and_none_is_in_two_splits() -> None:
    found = by_split()
    names = [f"{schema.name}/{each.name}" for split in SPLITS for schema, each in found[split]]
    assert len(names) == len(set(names)) >= 90
    assert len({schema.name for schema, _ in found["train"]}) >= 5
    assert {schema.name for schema, _ in found["test"]} > {schema.name for schema, _ in found["train"]}
    queries = [each.query for split in SPLITS for _, each in found[split]]
    assert len(queries) == len(set(queries))
    for split in SPLITS:
        levels = [each.difficulty for _, each in found[split]]
        assert min(levels) <= 0.1
        assert max(levels) >= 0.65


def test_an_engine_changes_the_dialect_and_not_the_question() -> None:
    lite, duckdb = rftgym.make("sql"), rftgym.make("sql", engine="duckdb")
    for index in range(40):
        one, other = lite.tasks.item("train", index), duckdb.tasks.item("train", index)
        assert (one.id, one.data["question"], one.data["pins"]) == (
            other.id,
            other.data["question"],
            other.data["pins"],
        )
    assert "DuckDB" in duckdb.start(duckdb.tasks.item("train", 0), 0)[-1].content


@pytest.mark.parametrize("split", SPLITS)
def test_a_template_has_one_right_answer_which_no_constant_is(split: str, judge: Judge) -> None:
    for schema, each in by_split()[split][::2]:
        task = template(f"{schema.name}/{each.name}")
        prepared = judge.prepared(task)
        assert len(prepared.states) == STATES, task.data["template"]
        assert prepared.luck <= 0.5, task.data["template"]
        assert judge.judge(task, task.data["query"]).success, task.data["template"]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", range(5))
def test_every_template_is_sound_with_other_values(number: int, judge: Judge) -> None:
    for split in SPLITS:
        for schema, each in by_split()[split]:
            task = template(f"{schema.name}/{each.name}", number=number + 1)
            assert judge.prepared(task).luck <= 0.67, task
            assert judge.judge(task, task.data["query"]).success, task


# ---- right by luck


def told(task: Task, rows: Sequence[Any], others: Sequence[str]) -> set[int]:
    """Which queries give another result than the task's own on some of these states."""
    found: set[int] = set()
    schema = next(schema for schema, _ in sum(by_split().values(), ()) if schema.name == task.data["schema"])
    database = SqliteDatabase(schema.ddl("sqlite"), Bounds(**{**BOUNDS, "calls": 10**6}))  # for all of them
    for each in rows:
        database.fill(each)
        wanted = database.ask(task.data["query"])
        for number, query in enumerate(others):
            try:
                if not same(wanted, database.ask(query), task.data["order"]):
                    found.add(number)
            except Unfit:
                found.add(number)
    return found


def check_mutants(judge: Judge, every: int, number: int) -> tuple[Counter[str], Counter[str]]:
    """By kind: mutants that are not equivalent, and those of them that the chosen states do not tell.

    A mutant counts as equivalent where no one of the chosen states and of 28 others tells it from the query.
    """
    real, missed = Counter[str](), Counter[str]()
    templates = [each for split in SPLITS for each in by_split()[split]]
    for schema, each in templates[::every]:
        task = template(f"{schema.name}/{each.name}", number=number)
        found = mutants(task.data["query"], 200)
        queries = [mutant.query for mutant in found]
        chosen = told(task, judge.prepared(task).states, queries)
        panel = told(task, states(schema, f"panel {number}", task.data["pins"], 28), queries)
        for place in chosen | panel:
            real[found[place].kind] += 1
            missed[found[place].kind] += place not in chosen
    return real, missed


def test_queries_that_are_nearly_right_are_refused(judge: Judge) -> None:
    """At least 97% of the mutants that differ at all. Survivors are conditions next to values that no state happens to
    hold (a sum of 30 where 31 is asked for), and LIMIT 10 where no state has eleven rows."""
    real, missed = check_mutants(judge, every=8, number=3)
    assert len(real) >= 12
    assert sum(real.values()) >= 110
    assert sum(missed.values()) <= 0.03 * sum(real.values()), missed


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_queries_that_are_nearly_right_are_refused_in_all_templates(judge: Judge) -> None:
    real, missed = check_mutants(judge, every=1, number=4)
    assert set(real) >= set(KINDS) - {"all", "case", "none", "not"}  # in SQLite LIKE ignores case anyway
    assert sum(missed.values()) <= 0.03 * sum(real.values()), missed


def test_a_mistake_that_no_mutant_makes_is_found_too(judge: Judge) -> None:
    for line in WRONG.read_text(encoding="utf-8").splitlines()[:12]:
        row = json.loads(line)
        task = rftgym.make("sql").tasks.by_id(row["task"])
        assert not judge.judge(task, SqlParser().parse(row["completion"]).answer).success, row["why"]


def test_another_way_to_write_the_query_is_right(judge: Judge) -> None:
    task = template("library/members-without-loan")
    assert task.data["query"].startswith("SELECT name FROM members WHERE CAST")
    year = task.data["query"].partition(">= ")[2][:4]
    for query in (
        (
            "SELECT m.name AS who FROM members AS m LEFT JOIN loans l ON l.member_id = m.id "
            f"WHERE l.id IS NULL AND m.joined >= '{year}-01-01'"
        ),
        (
            "WITH borrowers AS (SELECT member_id FROM loans) SELECT name FROM members "
            f"WHERE joined >= '{year}-01-01' AND (SELECT COUNT(*) FROM borrowers WHERE member_id = id) = 0 ORDER BY 1"
        ),
        (
            "/* a comment */ SELECT name -- another\n"
            f"FROM members WHERE strftime('%Y', joined) >= '{year}' EXCEPT "
            "SELECT name FROM members JOIN loans ON member_id = members.id;"
        ),
    ):
        verdict = judge.judge(task, without_end(query))
        assert verdict.success, (query, verdict)


def test_a_constant_gets_nothing_for_being_right_somewhere(judge: Judge) -> None:
    task = template("shop/orders-in-status-since")
    prepared = judge.prepared(task)
    counts = Counter(result[0][0] for result in prepared.results)
    value, times = counts.most_common(1)[0]
    verdict = judge.judge(task, f"SELECT {value} FROM orders LIMIT 1")
    assert verdict.kind == "wrong"
    assert sum(verdict.states) <= times
    assert verdict.partial == 0


# ---- results


VALUES = st.one_of(
    st.none(), st.integers(-3, 3), st.sampled_from([0.5, 1.0, 2.0, 1e-9]), st.sampled_from(["a", "1", ""])
)
ROWS = st.lists(st.tuples(VALUES, VALUES), max_size=8)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_unless_it_is_asked_for(rows: list[Any], chance: Random) -> None:
    other = list(rows)
    chance.shuffle(other)
    assert same(rows, other)
    if same(rows, other, (0,)):
        assert all(
            a[0] == b[0] or abs(a[0] - b[0]) < 1e-5
            for a, b in zip(rows, other, strict=True)
            if a[0] is not None
        )


@given(ROWS, st.integers(0, 7))
def test_a_row_more_or_less_matters(rows: list[Any], place: int) -> None:
    assert not same(rows, [*rows, (None, None)])
    if rows:
        fewer = [row for index, row in enumerate(rows) if index != place % len(rows)]
        assert not same(rows, fewer)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ([[1]], [[1.0]], True),
        ([[1]], [["1"]], False),
        ([[0]], [[None]], False),
        ([[""]], [[None]], False),
        ([[0.1 + 0.2]], [[0.3]], True),
        ([[10**17]], [[10**17 + 1]], False),
        ([[10**400]], [[0.5]], False),
        ([[1.0, "b"], [1.0 + 1e-12, "a"]], [[1.0, "a"], [1.0, "b"]], True),
        ([[1, 2]], [[2, 1]], False),
        ([[1]], [[1, 1]], False),
        ([], [[1]], False),
        ([[1], [1], [2]], [[1], [2], [2]], False),
        ([["2024-01-01"]], [["2024-01-01 00:00:00"]], False),
        ([[{"bytes": "ff"}]], [[{"bytes": "ff"}]], True),
    ],
)
def test_results(one: list[Any], other: list[Any], equal: bool) -> None:
    assert same(one, other) is equal
    assert same(other, one) is equal


def test_rows_that_tie_in_the_stated_order_may_change_places() -> None:
    rows = [["a", 1], ["b", 1], ["c", 2]]
    swapped = [["b", 1], ["a", 1], ["c", 2]]
    assert same(rows, swapped, (1,))
    assert not same(rows, swapped, (1, 0))
    assert not same(rows, swapped, None)
    assert not same(rows, rows[::-1], (1,))


# ---- reading an answer


@pytest.mark.parametrize(
    ("completion", "query", "well_formed"),
    [
        ("```sql\nSELECT 1 FROM t;\n```", "SELECT 1 FROM t", True),
        ("First I think.\n```sql\nSELECT 1\n```\nDone.", "SELECT 1", True),
        ("<answer>SELECT 1</answer>", "SELECT 1", True),
        ("<answer>```sql\nSELECT 1\n```</answer>", "SELECT 1", True),
        ("<think>```sql\nSELECT 2\n```</think>```sql\nSELECT 1\n```", "SELECT 1", True),
        ("```sql\nSELECT 1\n```\n```sql\nSELECT 2\n```", "SELECT 2", False),
        ("SELECT 1", "SELECT 1", False),
        ("```sql SELECT 1 FROM t;```", "SELECT 1 FROM t", True),
        ("```SQL\nSELECT 1\n```\nIt gives:\n```\nname | price\na | 1\n```", "SELECT 1", True),
        ("```python\nSELECT 2\n```\n```\nSELECT 1\n```", "SELECT 1", True),
        ("```sql\nSELECT 1 FROM t", "SELECT 1 FROM t", False),
        ("```sql\nSELECT 1\n```\n```\n", "SELECT 1", True),
        ("```sql\n```", None, False),
        ("```\nno query\n```", None, False),
        ("```sql\nDROP TABLE t\n```", "DROP TABLE t", False),
        ("```sql\nSELECT 1; SELECT 2\n```", "SELECT 1; SELECT 2", False),
        ("```sql\nSELECT ';' FROM t -- ; no end\n```", "SELECT ';' FROM t", True),
        ("I would select all rows.", None, False),
        ("```python\nprint(1)\n```", None, False),
        ("", None, False),
    ],
)
def test_answers(completion: str, query: str | None, well_formed: bool) -> None:
    parsed = SqlParser().parse(completion)
    assert (parsed.answer, parsed.well_formed) == (query, well_formed)


@given(st.text() | st.text("'\"`;-/*() \nselctwih[]0"))
@settings(max_examples=300)
def test_any_text_is_tokens(text: str) -> None:
    assert "".join(piece.text for piece in tokens(text)) == text
    complaint(text)
    unsteady(text)
    SqlParser().parse(text)
    SqlParser().parse(f"```sql\n{text}\n```")


def test_reading_takes_time_in_proportion() -> None:
    start = time.process_time()
    for text in (
        "/*" * 8000,
        "'" * 16000,
        "(" * 16000,
        "```sql\n" * 2300,
        "- " * 8000,
        "<answer>" * 2000,
        "--\n" * 5000,
    ):
        SqlParser().parse(text)
        complaint(text)
        mutants(text[:2000])
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ('SELECT "random"() FROM t', '"random"'),
        ("SELECT * FROM t USING SAMPLE 3", "sample"),
        ("SELECT * FROM t TABLESAMPLE 10%", "sample"),
        ("SELECT x FROM t JOIN u USING (sample)", ""),
        ("SELECT date(x), 'now' FROM t", "now"),
        ("SELECT 'now', random FROM t", ""),
    ],
)
def test_what_would_not_be_the_same_tomorrow(query: str, said: str) -> None:
    assert said in unsteady(query)
    assert bool(unsteady(query)) is bool(said)


# ---- hostile queries

HOSTILE = [
    ("SELECT COUNT(*) FROM products a, products b, products c, products d, products e, products f", "timeout"),
    ("SELECT a.id FROM products a, products b, products c, products d, products e, products f", "size"),
    ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n", "timeout"),
    ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n", "size"),
    ("WITH RECURSIVE n(x) AS (SELECT 'a' UNION ALL SELECT x || x FROM n) SELECT LENGTH(x) FROM n", "size"),
    ("SELECT printf('%.*c', 1000000000, 'x') FROM products", "timeout"),
    ("SELECT zeroblob(1000000000) FROM products", "refused"),
    ("SELECT randomblob(1000000000) FROM products", "refused"),
    ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM products, n ORDER BY x", "timeout"),
    ("SELECT random() FROM products", "refused"),
    ("SELECT date('now') FROM products", "refused"),
    ("SELECT date() FROM products", "refused"),
    ("SELECT CURRENT_TIMESTAMP FROM products", "refused"),
    ("SELECT load_extension('x') FROM products", "refused"),
    ("SELECT * FROM sqlite_master", "refused"),
    ("SELECT COUNT(*) FROM sqlite_master", "refused"),
    ("SELECT * FROM pragma_table_info('products')", "refused"),
    ("WITH x AS (SELECT 1) DELETE FROM products", "refused"),
    ("WITH x AS (SELECT 1) INSERT INTO products SELECT * FROM products", "refused"),
    ("ATTACH '/etc/passwd' AS x", "format"),
    ("PRAGMA query_only = 0", "format"),
    ("SELECT 1 FROM products; DROP TABLE products", "format"),
    ("SELECT '\ud800' FROM products", "format"),
    ("SELECT 1 \0 FROM products", "format"),
    ("SELECT 'x FROM products", "format"),
    ("SELECT CAST(x'ff' AS TEXT), x'00ff', 1e999 FROM products", "wrong"),
    ("SELECT " + "(" * 3000 + "1" + ")" * 3000 + " FROM products", "size"),
    ("SELECT " + "1," * 1500 + "1 FROM products", "size"),
    ("SELECT missing FROM products", "name"),
    ("SELECT name FROM nowhere", "name"),
    ("SELECT FROM products", "syntax"),
    ("SELECT SUM(9223372036854775807) FROM products", "runtime"),
    ("SELECT ? FROM products", "runtime"),
    ("SELECT 1", "untouched"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "kind"), HOSTILE)
def test_a_hostile_query_gets_a_typed_verdict_in_time(query: str, kind: str, judge: Judge) -> None:
    task = template("shop/products-by-price")
    judge.prepared(task)
    start = time.monotonic()
    verdict = judge.judge(task, query)
    assert verdict.kind == kind, verdict
    assert not verdict.success
    assert verdict.message
    assert time.monotonic() - start < SLOWEST_SECONDS


def test_the_rest_of_a_batch_is_unharmed(env: TextEnv[Any]) -> None:
    tasks = env.tasks.sample("test", 6, 5)
    bombs = [query for query, _ in HOSTILE[:6]]
    rows = []
    for task, bomb in zip(tasks, bombs, strict=True):
        rows.append({"task": task.id, "completion": f"```sql\n{bomb}\n```"})
        rows.append({"task": task.id, "completion": f"```sql\n{task.data['query']}\n```"})
    rows.append({"task": tasks[0].id, "completion": "x" * 1_000_000})
    scored = rftgym.score("sql", rows)
    assert all(row["error"] is None for row in scored)
    assert [row["success"] for row in scored] == [False, True] * 6 + [False]
    assert [row["reward"] for row in scored[1::2]] == [1.0] * 6
    assert scored[-1]["reward"] == 0.0


def test_the_stages_of_the_reward(env: TextEnv[Any]) -> None:
    task = env.tasks.item("train", 7)
    assert task.data["template"] == "shop/products-by-price"
    good = task.data["query"]
    answers = [
        (f"```sql\n{good}\n```", 1.0),
        (good, 0.95),
        ("```sql\nSELECT name FROM products\n```", 0.1),
        ("SELECT name FROM products", 0.05),
        ("```sql\nSELECT missing FROM products\n```", 0.05),
        ("```sql\nSELECT FROM\n```", 0.0),
        ("```sql\nDELETE FROM products\n```", 0.0),
        ("", 0.0),
    ]
    scored = rftgym.score("sql", [{"task": task.id, "completion": text} for text, _ in answers])
    assert [row["reward"] for row in scored] == pytest.approx([reward for _, reward in answers])
    assert [row["success"] for row in scored] == [True, True] + [False] * 6


# ---- DuckDB

DUCKDB = [
    ("SELECT * FROM read_csv('/etc/passwd')", "refused"),
    ("SELECT content FROM read_text('/etc/passwd')", "refused"),
    ("SELECT * FROM '/etc/passwd'", "name"),
    ("WITH x AS (SELECT 1) DELETE FROM orders", "refused"),
    ("SELECT repeat('x', 1000000000) FROM orders", "memory"),
    ("SELECT missing FROM orders", "name"),
    ("SELECT FROM WHERE", "syntax"),
    ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n", "timeout"),
    ("SELECT * FROM duckdb_settings()", "untouched"),
    ("SELECT a.id FROM orders a, orders b, orders c, orders d", "size"),
]


def test_duckdb(duck: Judge) -> None:
    task = template("shop/sales-by-month", engine="duckdb")
    assert duck.judge(task, task.data["query"]).success
    assert duck.judge(task, f"SELECT * FROM ({task.data['query']}) AS q ORDER BY 1 DESC").kind == "wrong"
    for query, kind in DUCKDB[:3]:
        assert duck.judge(task, query).kind == kind, query


@pytest.mark.slow
def test_hostile_queries_in_duckdb(duck: Judge) -> None:
    task = template("shop/sales-by-month", engine="duckdb")
    for query, kind in DUCKDB:
        start = time.monotonic()
        assert duck.judge(task, query).kind == kind, (query, duck.judge(task, query))
        assert time.monotonic() - start < SLOWEST_SECONDS


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_template_has_a_right_answer_in_duckdb(duck: Judge) -> None:
    for split in SPLITS:
        for schema, each in by_split()[split]:
            task = template(f"{schema.name}/{each.name}", engine="duckdb")
            assert duck.judge(task, task.data["query"]).success, task
            assert duck.prepared(task).luck <= 0.67, task


DATABASES = [SqliteDatabase, DuckDatabase]


@pytest.mark.parametrize("kind", DATABASES)
def test_a_database_holds_one_state_after_the_other(kind: Any) -> None:
    ddl = "CREATE TABLE a (id INTEGER PRIMARY KEY, x REAL, y TEXT); CREATE TABLE b (id INTEGER PRIMARY KEY);"
    with closing(kind(ddl, Bounds(**BOUNDS))) as database:
        database.fill({"a": [[1, 0.5, "it's"], [2, None, None]], "b": [[7]]}, now=False)
        assert database.ask("SELECT * FROM a ORDER BY id") == [[1, 0.5, "it's"], [2, None, None]]
        assert database.touched == {"a"}
        database.fill({"a": [[2, 1, "new"]], "b": []}, now=False)
        # A table may be read under any name, from anywhere in the query, and under a WITH of its own name.
        assert database.ask(
            "WITH a AS (SELECT * FROM main.A) SELECT id, x, (SELECT COUNT(*) FROM b) FROM a"
        ) == [[2, 1, 0]]
        database.fill({}, now=False)
        assert database.ask("SELECT (SELECT COUNT(*) FROM a), (SELECT COUNT(*) FROM b)") == [[0, 0]]
        assert database.touched == {"a", "b"}


@pytest.mark.parametrize("kind", DATABASES)
def test_a_query_that_fails_leaves_the_state_as_it_was(kind: Any) -> None:
    with closing(kind("CREATE TABLE a (id INTEGER PRIMARY KEY, y TEXT);", Bounds(**BOUNDS))) as database:
        database.fill({"a": [[1, "x"], [2, "y"]]})
        for query in (
            "SELECT missing FROM a",
            "SELEC",
            "SELECT SUM(9223372036854775807 * id * id * 9) / 0 FROM a, a",
            "SELECT n.id FROM a n, a o, a p, a q, a r, a s, a t, a u, a v, a w, a x, a y, a z",
        ):
            with pytest.raises(Unfit):
                database.ask(query)
            assert database.ask("SELECT COUNT(*) FROM a") == [[2]]
        with pytest.raises(Exception, match=r"column|values"):
            database.fill({"a": [[1]]})
        database.fill({"a": [[1, "z"]]})
        assert database.ask("SELECT y FROM a") == [["z"]]


def test_the_numbers_that_sqlite_gives_begin_anew_in_every_state() -> None:
    database = SqliteDatabase(
        "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, y TEXT);", Bounds(**BOUNDS)
    )
    for _ in range(2):
        database.fill({"a": [[None, "x"]]})
        assert database.ask("SELECT id FROM a") == [[1]]
    with pytest.raises(Unfit, match="prohibited"):
        database.ask("SELECT seq FROM sqlite_sequence")


def test_a_long_query_in_duckdb_is_ended_where_that_is_asked_for() -> None:
    with closing(DuckDatabase("CREATE TABLE a (id INTEGER)", Bounds(**BOUNDS, seconds=0.1))) as database:
        database.fill({"a": [[1]]})
        with pytest.raises(Unfit) as caught:
            database.ask(
                "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n, a"
            )
        assert caught.value.kind == "timeout"
        assert database.ask("SELECT COUNT(*) FROM a") == [[1]]


@pytest.mark.parametrize(
    ("ddl", "kept"),
    [
        (
            "CREATE TABLE a (x INT REFERENCES b (id) NOT NULL, y INT)",
            "CREATE TABLE a ( x INT NOT NULL , y INT )",
        ),
        (
            "CREATE TABLE a (x INT, FOREIGN KEY (x) REFERENCES b (id), y INT)",
            "CREATE TABLE a ( x INT , y INT )",
        ),
        (
            "CREATE TABLE a (x INT, CONSTRAINT c CHECK (x > 0))",
            "CREATE TABLE a ( x INT , CONSTRAINT c CHECK ( x > 0 ) )",
        ),
    ],
)
def test_foreign_keys_are_left_off_for_duckdb(ddl: str, kept: str) -> None:
    assert without_references(ddl) == kept


# ---- tasks of one's own


def test_a_file_without_states_gets_some(tmp_path: Path) -> None:
    path = file_of(tmp_path, OWN)
    rows = [
        {"task": "mine-1", "completion": f"```sql\n{OWN['query']}\n```"},
        {"task": "mine-1", "completion": "```sql\n" + OWN["query"].replace("LEFT JOIN", "JOIN") + "\n```"},
        {"task": "mine-1", "completion": "```sql\n" + OWN["query"].replace("> 3", ">= 3") + "\n```"},
        {"task": "mine-1", "completion": "```sql\n" + OWN["query"].replace("v.id)", "*)") + "\n```"},
    ]
    scored = rftgym.score("sql", rows, tasks=path)
    assert [row["success"] for row in scored] == [True, False, False, False]


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_given_states_are_used(tmp_path: Path, engine: str) -> None:
    given = [
        [
            "INSERT INTO pets VALUES (1, 'Rex', 'dog', 4), (2, 'Mia', 'cat', 3)",
            "INSERT INTO visits VALUES (1, 1, 9.5)",
        ],
        ["INSERT INTO pets VALUES (1, 'Tom', NULL, 5)"],
        ["INSERT INTO pets VALUES (1, 'Tom', NULL, 2)"],
        ["INSERT INTO pets VALUES (7, 'Ida', 'cat', 9)", "INSERT INTO visits VALUES (1, 7, 1), (2, 7, 1)"],
    ]
    path = file_of(tmp_path, {**OWN, "states": given, "columns": "name, number of visits"})
    env = rftgym.make("sql", engine=engine, tasks=SqlEnv.read_tasks(path))
    task = env.tasks.by_id("mine-1")
    prompt = env.start(task, 0)[-1].content
    assert "1 | Rex | dog | 4" in prompt
    assert "name, number of visits" in prompt
    assert isinstance(env, SqlEnv)
    assert list(env.judge.prepared(task).results) == [
        [["Rex", 1]],
        [["Tom", 0]],
        [],
        [["Ida", 2]],
    ]
    for answer in env.demonstrate(task, 0) or []:
        assert answer.role in ("user", "assistant")


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_views_and_recursion_may_be_used(tmp_path: Path, engine: str) -> None:
    """Mutants of a recursion run for ever; they are given up."""
    query = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5) "
        "SELECT o.name, COUNT(*) FROM n JOIN old o ON o.age > n.x + 3 GROUP BY o.name"
    )
    schema = OWN["schema"] + "CREATE VIEW old AS SELECT * FROM pets WHERE age > 3;"
    path = file_of(tmp_path, {**OWN, "schema": schema, "query": query})
    rows = [
        {"task": "mine-1", "completion": f"```sql\n{text}\n```"}
        for text in (query, query.replace("< 5", "< 6"))
    ]
    env = rftgym.make("sql", engine=engine, tasks=SqlEnv.read_tasks(path))
    assert [row["success"] for row in rftgym.score(env, rows)] == [True, False]


def test_rows_may_be_given_as_values(tmp_path: Path) -> None:
    rows = [
        {"pets": [[1, "Rex", "dog", 4]], "visits": [[1, 1, 2.5], [2, 1, None]]},
        {"pets": [[2, "Mia", None, 8]]},
    ]
    path = file_of(tmp_path, {**OWN, "rows": rows})
    scored = rftgym.score(
        "sql", [{"task": "mine-1", "completion": f"```sql\n{OWN['query']}\n```"}], tasks=path
    )
    assert scored[0]["reward"] == 1.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"query": "DELETE FROM pets"}, "query: it does not begin with SELECT"),
        ({"query": "SELECT 1; SELECT 2"}, "more than one statement"),
        ({"query": "SELECT missing FROM pets"}, "no such column: missing"),
        ({"query": "SELECT random() FROM pets"}, "not the same every time"),
        ({"query": "SELECT 1 FROM pets WHERE 1 = 0"}, "same on every database"),
        ({"query": "SELECT name FROM pets LIMIT 2"}, "depends on the order in which rows are stored"),
        ({"query": "SELECT kind FROM pets ORDER BY age", "ordered": True}, "depends on the order"),
        ({"schema": "CREATE TABL pets (id INT)"}, "syntax error"),
        ({"states": [["INSERT INTO cats VALUES (1)"]]}, "states: state 1 cannot be made"),
        ({"states": [["INSERT INTO pets VALUES (1)"]]}, "states: state 1 cannot be made"),
        ({"states": [[]], "rows": {"pets": []}}, "not both"),
        ({"rows": {"pets": [[1, 2]]}}, "rows: state 1 cannot be made"),
        ({"rows": {"pats": [[1, 2]]}}, "rows: state 1 cannot be made"),
        (
            {
                "schema": "CREATE TABLE pets (id INTEGER PRIMARY KEY, name TEXT CHECK (name = '?'));",
                "query": "SELECT name FROM pets",
            },
            "give 'states' or 'rows' that the schema allows",
        ),
        (
            {"schema": "CREATE TABLE pets (name BLOB);", "states": [["INSERT INTO pets VALUES (x'ff')"]]},
            "holds bytes",
        ),
        ({"question": ""}, "question"),
        ({"extra": 1}, "extra"),
        ({"difficulty": 2}, "difficulty"),
        ({"id": None}, "id"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_with_its_line(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    good = {**OWN, "id": "good"}
    path = file_of(tmp_path, good, {**OWN, **change})
    with pytest.raises(UsageError, match="line 2") as caught:
        rftgym.score("sql", [{"task": "good", "completion": ""}], tasks=path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_query_that_an_answer_could_not_afford_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each state alone is within the bounds, and all of them together are not."""
    monkeypatch.setattr("rftgym_sql.judge.MUTANTS", {"sqlite": 0})
    query = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 300000) "
        "SELECT name, (SELECT COUNT(*) FROM n) FROM pets"
    )
    rows = [{"pets": [[1, name, "cat", 4]]} for name in "abcd"]
    with pytest.raises(UsageError, match="line 1: query: it is too costly for an answer"):
        rftgym.score("sql", [], tasks=file_of(tmp_path, {**OWN, "query": query, "rows": rows}))


def test_a_job_is_never_told_what_is_right(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the task's query nor its results are in what the process of an answer is given."""
    task = template("shop/category-stats")
    prepared = judge.prepared(task)
    sent: list[dict[str, Any]] = []
    run = judge.processes.answer

    def recorded(header: Any) -> Any:
        sent.append(dict(header))
        return run(header)

    monkeypatch.setattr(judge.processes, "answer", recorded)
    judge.judge(task, "SELECT COUNT(*) FROM products")
    assert set(sent[0]) == {"engine", "ddl", "states", "query", "bounds"}
    text = json.dumps(sent[0])
    assert task.data["query"] not in text
    averages = [f"{row[2]!r}" for result in prepared.results for row in result if row[2] * 4 % 1]
    assert averages
    assert not any(average in text for average in averages)


def test_a_compromised_process_is_told_by_the_comparison(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rftgym.sandbox import Outcome

    task = template("shop/category-stats")
    for lie in (
        {"results": [[]] * STATES, "touched": ["products"]},
        {"results": [], "touched": ["products"]},
        {"results": [[[None]]] * STATES},
        {"results": [7, None, "x", {}, [1], [{}]], "touched": ["products"]},
        {"kind": "right", "message": "believe me"},
        {"kind": ["wrong"], "touched": 1},
        {"kind": "timeout"},
        {},
    ):
        monkeypatch.setattr(judge.processes, "answer", lambda header, lie=lie: Outcome("ok", lie))
        assert not judge.judge(task, "SELECT 1 FROM products").success


# ---- states and demonstrations


def test_states_depend_on_seed_and_index_only() -> None:
    schema = by_split()["train"][0][0]
    assert states(schema, "a", {}, 9)[:4] == states(schema, "a", {}, 4)
    assert states(schema, "a", {}, 4) != states(schema, "b", {}, 4)


@pytest.mark.parametrize(
    "schema", sorted({schema.name for found in by_split().values() for schema, _ in found})
)
def test_states_keep_the_schema(schema: str) -> None:
    """Keys are unique and refer to rows that there are; unique columns are."""
    found = next(each for listed in by_split().values() for each, _ in listed if each.name == schema)
    for state in states(found, "x", {}, 14):
        for table in found.tables:
            rows = state[table.name]
            for place, column in enumerate(table.columns):
                values = [row[place] for row in rows if row[place] is not None]
                assert column.nullable or len(values) == len(rows)
                if column.unique or (column.key and len(table.keys) == 1):
                    assert len(set(values)) == len(values)
                if column.references:
                    assert set(values) <= {row[column.referred] for row in state[column.references]}


def test_demonstrations(env: TextEnv[Any]) -> None:
    start = time.process_time()
    talks = list(env.demonstrations("train", 600, 3))
    assert 600 / (time.process_time() - start) > 500
    assert talks[:5] == list(env.demonstrations("train", 5, 3))
    parsed = [SqlParser().parse(talk[-1].content) for talk in talks]
    assert 0.85 < sum(each.well_formed for each in parsed) / 600 < 0.98
    with pytest.raises(UsageError, match="held out"):
        next(env.demonstrations("test", 1, 0))


def test_demonstrations_are_mostly_right(env: TextEnv[Any], judge: Judge) -> None:
    right = 0
    for index, talk in enumerate(env.demonstrations("train", 30, 11)):
        number = Random(f"sql:demonstration:11:{index}").randrange(2**31)
        right += judge.judge(
            env.tasks.item("train", number), SqlParser().parse(talk[-1].content).answer
        ).success
    assert 12 <= right <= 27


@pytest.mark.parametrize(
    "kwargs", [{"engine": "postgres"}, {"levels": 3}, {"workers": 0}, {"workers": "two"}]
)
def test_wrong_settings(kwargs: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        rftgym.make("sql", **kwargs)


def test_the_gold_job_refuses_a_query_whose_result_depends_on_storage() -> None:
    rows = {"t": [[1, "a"], [2, "a"], [3, "b"]]}
    header = {
        "engine": "sqlite",
        "ddl": "CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT);",
        "states": [rows],
        "query": "SELECT word FROM t ORDER BY id LIMIT 1",
        "mutants": ["SELECT word FROM t ORDER BY id DESC LIMIT 1", "SELECT missing FROM t"],
        "order": [],
        "wanted": 1,
        "keep": 0,
        "own_schema": True,
        "bounds": dict(BOUNDS),
    }
    said, _ = jobs.gold(header, ())
    assert said == {"chosen": [0], "results": [[["a"]]], "told": [[0]], "unsteady": []}
