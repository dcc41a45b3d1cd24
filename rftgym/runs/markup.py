"""HTML built from elements, so that text is always escaped: only what :func:`element` made counts as markup."""

from __future__ import annotations

import html
import re

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_EMPTY = {"meta", "circle", "line", "path", "rect", "polygon"}


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def escape(text: object) -> Html:
    """Any value as text for HTML. Characters that hide, reorder or break text show as their code point."""
    if isinstance(text, Html):
        return text
    return Html(html.escape(_UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", str(text))))


def element(name: str, /, *children: object, **attributes: object) -> Html:
    """An element. Children that are not :class:`Html` are escaped; None children and attributes are left out.

    Args:
        name: the tag.
        children: texts, elements, or numbers.
        attributes: by name; a trailing underscore is dropped, others become dashes (``class_``, ``stroke_width``).
    """
    values = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY and not children:
        return Html(f"<{name}{values}/>")
    return Html(f"<{name}{values}>{join(*children)}</{name}>")


def spaced(*parts: object) -> list[object]:
    """Parts with spaces between them, which only those who read or copy the page as text notice."""
    return [each for part in parts if part is not None for each in (part, " ")][:-1]


def join(*parts: object) -> Html:
    """Parts side by side."""
    return Html("".join(escape(part) for part in parts if part is not None))
