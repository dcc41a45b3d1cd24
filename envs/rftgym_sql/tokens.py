"""SQL text as tokens: enough to tell one query from several and from anything else, whatever the text is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["word", "name", "string", "number", "mark", "space", "broken"]

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*(?:[^*]|\*(?!/))*+\*/)
    |(?P<string>'(?:[^']|'')*+')
    |(?P<name>"(?:[^"]|"")*+"|`[^`]*+`|\[[^\]\[]*+\])
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<word>[^\W\d]\w*)
    |(?P<broken>['"`]|/\*)
    |(?P<mark><=|>=|<>|!=|==|\|\||::|.)""",
    re.VERBOSE | re.DOTALL,
)
_OPENING = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*(?:[^*]|\*(?!/))*+\*/)*+(?:SELECT|WITH)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of SQL.

    Attributes:
        kind: "word": keyword or bare name; "name": quoted name; "broken": a quote or comment that never ends.
        text: as written. All texts joined give the SQL again.
    """

    kind: Kind
    text: str

    @property
    def upper(self) -> str:
        """A word in upper case; what is no word, as written."""
        return self.text.upper() if self.kind == "word" else self.text


def tokens(sql: str) -> list[Token]:
    """All tokens, space and comments included. Takes any text, in time proportional to its length."""
    return [Token(match.lastgroup or "mark", match[0]) for match in _TOKEN.finditer(sql)]  # type: ignore[arg-type]


def opens_query(sql: str) -> bool:
    """Whether the first word, comments aside, is SELECT or WITH."""
    return _OPENING.match(sql) is not None


def without_end(sql: str) -> str:
    """A statement without the semicolons, space and comments behind it."""
    pieces = tokens(sql)
    while pieces and (pieces[-1].kind == "space" or pieces[-1].text == ";"):
        pieces.pop()
    return "".join(piece.text for piece in pieces).strip()


def complaint(sql: str) -> str:
    """Why a text is not one query, in words; empty where it seems to be one. The engine has the last word."""
    try:
        sql.encode()
    except UnicodeEncodeError:
        return "it is no valid Unicode text"
    if "\0" in sql:
        return "it holds a null character"
    if not opens_query(sql):
        return "it does not begin with SELECT or WITH"
    found = tokens(sql)
    if any(piece.kind == "broken" for piece in found):
        return "a quote or a comment in it never ends"
    if any(piece.text == ";" for piece in found):
        return "it is more than one statement"
    return ""


_CLOCK = frozenset({"CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"})
_UNSTEADY_CALLS = frozenset(
    """RANDOM RANDOMBLOB SETSEED UUID UUIDV4 UUIDV7 GEN_RANDOM_UUID NOW TODAY GET_CURRENT_TIME GET_CURRENT_TIMESTAMP
    TRANSACTION_TIMESTAMP CURRENT_LOCALTIME CURRENT_LOCALTIMESTAMP TXID_CURRENT NEXTVAL""".split()  # noqa: SIM905  # easier to read
)
_DATE_CALLS = frozenset({"DATE", "TIME", "DATETIME", "JULIANDAY", "STRFTIME", "UNIXEPOCH", "TIMEDIFF"})


def unsteady(sql: str) -> str:
    """Why a query's result would not be the same tomorrow, in words; empty where nothing speaks for that."""
    found = [piece for piece in tokens(sql) if piece.kind != "space"]
    dated = any(piece.text.strip('"`[]').upper() in _DATE_CALLS for piece in found)
    for here, after, behind in zip(found, [*found[1:], None], [*found[2:], None, None], strict=False):
        calls = after is not None and after.text == "("
        name = here.text.strip('"`[]').upper()
        if here.upper in _CLOCK or (calls and name in _UNSTEADY_CALLS):
            return f"{here.text} is not the same every time"
        if here.upper == "TABLESAMPLE" or (here.upper == "USING" and after and after.upper == "SAMPLE"):
            return "a sample is not the same every time"
        if calls and name in _DATE_CALLS and behind is not None and behind.text == ")":
            return f"{here.text}() is not the same every time"
        if here.kind == "string" and dated and here.text.strip("'").strip().lower() in ("now", "today"):
            return f"{here.text} is not the same every time"
    return ""
