"""Reading values out of running text, whatever language's syntax they are written in.

Documentation of one language often writes values in another's (``['a', True]`` above a Go function). Everything that has one
meaning in all of them is read; what has two (``(1)``, a bare word) is read as what it is and left to the language that renders
it. Never raises, and no text makes it slow: one pass, bounded depth.
"""

from __future__ import annotations

import re

from qverify_desktop.languages.values.value import (
    Entries,
    Items,
    Kind,
    Made,
    Nothing,
    Number,
    Text,
    Truth,
    Value,
    Word,
    number,
)

MOST_CHARACTERS = 20_000
MOST_DEPTH = 40

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]{1,40}|0[bB][01_]{1,140}|0[oO][0-7_]{1,60}|(?:\d[\d_]{0,400}+(?:\.\d[\d_]{0,400}+)?|\.\d[\d_]{0,400}+)(?:[eE][+-]?\d{1,5})?)"
    r"(?P<suffix>[iu](?:8|16|32|64|128|size)|f(?:32|64)|[LlnNfFdDuU])?(?![\w.]*\w)"
)
_INFINITE = re.compile(
    r"([+-]?)(?:(?:Infinity|inf|Inf|NaN|nan)\b|float\(['\"]inf['\"]\)|math\.Inf\((?P<minus>-?)1\)|math\.NaN\(\))"
)
_WORD = re.compile(r"[A-Za-z_$][\w$]*(?:(?:\.|::)[A-Za-z_$][\w$]*)*!?")
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NOTHINGS = frozenset({"null", "None", "nil", "undefined", "NULL", "Null", "Nil"})
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "\n": ""} | {
    letter: letter for letter in "\"'`\\/$"
}
#: Calls that stand for a row, a set, a tuple, a table.
_ROWS = re.compile(
    r"(?:Arrays\.as|(?:mutable|array)?[lL]ist(?:Of)?|List\.of)(?:List)?|(?:Stream|Array|ImmutableList)\.of"
    r"|(?:int|long|double|float|boolean|char)?[aA]rrayOf|Collections\.emptyList|emptyList|Vec::(?:from|new)|(?:Array|Linked)List"
)
_SETS = re.compile(
    r"(?:Immutable)?Set\.of|(?:mutable|hash)?[sS]etOf|(?:frozen)?set|emptySet|HashSet::from|(?:Hash|Tree)Set"
)
_TUPLES = re.compile(r"tuple|Pair|Triple")
_TABLES = re.compile(r"Map\.of|(?:mutable|hash)?[mM]apOf|dict|emptyMap|(?:Hash|BTree)Map::from")
#: Of those, the ones that are handed another row.
_COPYING = re.compile(r"\w+::from|(?:Array|Linked)List|(?:Hash|Tree)Set|(?:frozen)?set|list|tuple")
_WRAPPERS = {
    "Some": "some",
    "Optional.of": "some",
    "Optional.ofNullable": "some",
    "Ok": "ok",
    "Err": "err",
    "Optional.empty": "none",
}
#: Calls around a text or a number that leave it what it is.
_PLAIN = re.compile(
    r"String::from|(?:String|Integer|Long|Double|BigInteger)\.valueOf|str|string|BigInt|Number|u?int\d{0,2}|float\d{0,2}|byte|rune"
)
_METHODS = re.compile(r"\.(?:to_string|to_owned|into|to_vec|toString|iter|unwrap)\(\)|\.stream\(\)")
_TYPED_ROW = re.compile(
    r"(?:new\s+)?(?:\[\s*\d*\s*\]\s*)+[\w.*\[\]]{0,80}(?:(?<=interface)\{\})?\s*(?=\{)|new\s+[\w.<>]{1,80}\s*(?:\[\s*\]\s*)+(?=\{)"
)
_TYPED_TABLE = re.compile(r"map\[[\w.]{1,80}\][\w.\[\]*]{1,80}(?:(?<=interface)\{\})?\s*(?=\{)")
_SEPARATOR = re.compile(r":|=>|=(?!=)|\bto\b")
_CLOSERS = {"(": ")", "[": "]", "{": "}"}


def value_at(text: str, start: int = 0) -> tuple[Value, int] | None:
    """The value that begins at ``start`` (after spaces) and the offset after it; ``None`` where none does."""
    return _value(text, start, MOST_DEPTH) if len(text) <= MOST_CHARACTERS else None


def whole_value(text: str) -> Value | None:
    """The value that is all of ``text``."""
    found = value_at(text.strip())
    return found[0] if found is not None and found[1] == len(text.strip()) else None


def arguments_at(text: str, start: int) -> tuple[tuple[Value, ...], int] | None:
    """The values between the parenthesis at ``start`` and the one that closes it, and the offset after that."""
    if len(text) > MOST_CHARACTERS or not text.startswith("(", start):
        return None
    return _row(text, start, MOST_DEPTH)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _value(text: str, start: int, depth: int) -> tuple[Value, int] | None:
    at = _skip(text, start)
    if depth <= 0 or at >= len(text):
        return None
    character = text[at]
    found: tuple[Value, int] | None
    if character in "\"'`" or (character in "rbuf" and text[at + 1 : at + 2] in ("'", '"')):
        found = _string(text, at)
    elif character == "&":
        return _value(text, at + 1, depth - 1)
    elif character in "([{":
        found = _bracketed(text, at, depth)
    elif match := _INFINITE.match(text, at):
        sign = "-" if "-" in (match.group(1), match.group("minus")) else ""
        found = Number("nan" if "an" in match.group().lower() else f"{sign}inf", False), match.end()
    elif match := _NUMBER.match(text, at):
        found = _number(match)
    else:
        found = _named(text, at, depth)
    if found is None:
        return None
    value, end = found
    while match := _METHODS.match(text, end):
        end = match.end()
    return value, end


def _number(match: re.Match[str]) -> tuple[Value, int]:
    suffix = match.group("suffix") or ""
    text = match.group()[: len(match.group()) - len(suffix)].replace("_", "")
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text.lstrip("+"))
    if digits[:2].lower() in ("0x", "0b", "0o"):
        return Number(str(int(f"{sign}{digits}", 0)), True), match.end()
    whole = not set(digits) & set(".eE") and suffix not in ("f32", "f64", "f", "F", "d", "D")
    if whole:
        digits = digits.lstrip("0") or "0"
    elif digits.startswith("."):
        digits = f"0{digits}"
    return number(f"{sign}{digits}", whole=whole), match.end()


def _string(text: str, at: int) -> tuple[Value, int] | None:
    raw = text[at] in "rR"
    if text[at] not in "\"'`":
        at += 1
    quote = text[at]
    mark = quote * 3 if text.startswith(quote * 3, at) and quote != "`" else quote
    at += len(mark)
    out: list[str] = []
    while at < len(text):
        if text.startswith(mark, at):
            return Text("".join(out), mark), at + len(mark)
        character = text[at]
        if character == "\n" and mark in "\"'":
            return None
        if character == "\\" and mark == "`":
            # Raw to Go, an escape to JavaScript.
            return None
        if character == "\\" and not raw and at + 1 < len(text):
            piece, at = _escape(text, at + 1)
            if piece is None:
                return None
            out.append(piece)
            continue
        out.append(character)
        at += 1
    return None


def _escape(text: str, at: int) -> tuple[str | None, int]:
    letter = text[at]
    for prefix, pattern in (
        ("x", r"[0-9a-fA-F]{2}"),
        ("u", r"\{[0-9a-fA-F]{1,6}\}|[0-9a-fA-F]{4}"),
        ("U", r"[0-9a-fA-F]{8}"),
    ):
        if letter == prefix:
            match = re.compile(pattern).match(text, at + 1)
            code = int(match.group().strip("{}"), 16) if match else 0x110000
            if prefix == "u" and 0x20 <= code < 0x7F:
                # Nobody hides a plain letter: the words speak of the escape itself, or of something that shows one.
                return None, at
            return (chr(code) if code < 0x110000 else None), match.end() if match else at
    # What no language knows is a backslash to Python and nothing to JavaScript, and its author may have meant either.
    return _ESCAPES.get(letter), at + 1


def _row(text: str, at: int, depth: int) -> tuple[tuple[Value, ...], int] | None:
    """Values between brackets, separated by commas; a comma at the end is allowed."""
    closer = _CLOSERS[text[at]]
    at = _skip(text, at + 1)
    items: list[Value] = []
    while at < len(text):
        if text[at] == closer:
            return tuple(items), at + 1
        found = _value(text, at, depth - 1)
        if found is None:
            return None
        value = found[0]
        at = _skip(text, found[1])
        if text.startswith("to ", at) and (other := _value(text, at + 3, depth - 1)):
            value, at = Items((value, other[0]), Kind.TUPLE), _skip(text, other[1])
        items.append(value)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != closer:
            return None
    return None


def _bracketed(text: str, at: int, depth: int) -> tuple[Value, int] | None:
    match = _TYPED_ROW.match(text, at)
    if match:
        row = _row(text, match.end(), depth)
        return (Items(row[0]), row[1]) if row else None
    if text[at] == "{":
        return _braced(text, at, depth)
    row = _row(text, at, depth)
    if row is None:
        return None
    items, end = row
    if text[at] == "[":
        return Items(items), end
    trailing = text[:end].rstrip(")").rstrip().endswith(",")
    if len(items) == 1 and not trailing:
        return Made("(", items), end
    return Items(items, Kind.TUPLE), end


def _braced(text: str, at: int, depth: int) -> tuple[Value, int] | None:
    """A table or a set: what follows the first value tells. Each value is read once, so nesting costs no more than its length."""
    at = _skip(text, at + 1)
    keys: list[Value] = []
    answers: list[Value] = []
    while at < len(text):
        if text[at] == "}":
            if answers or not keys:
                return Entries(tuple(zip(keys, answers, strict=True))), at + 1
            return Items(tuple(keys), Kind.SET), at + 1
        found = _value(text, at, depth - 1)
        if found is None:
            return None
        key, at = found[0], _skip(text, found[1])
        separator = _SEPARATOR.match(text, at)
        if (separator is None and answers) or (separator is not None and len(keys) != len(answers)):
            return None
        if separator is not None:
            one = _value(text, separator.end(), depth - 1)
            if one is None:
                return None
            key, at = Text(key.name) if isinstance(key, Word) else key, _skip(text, one[1])
            answers.append(one[0])
        keys.append(key)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "}":
            return None
    return None


def _named(text: str, at: int, depth: int) -> tuple[Value, int] | None:
    for pattern in (_TYPED_ROW, _TYPED_TABLE):
        match = pattern.match(text, at)
        if match:
            if pattern is _TYPED_TABLE:
                return _braced(text, match.end(), depth)
            row = _row(text, match.end(), depth)
            return (Items(row[0]), row[1]) if row else None
    match = _WORD.match(text, at)
    if match is None:
        return None
    word, end = match.group(), match.end()
    if word == "new" and (after := _WORD.match(text, _skip(text, end))):
        word, end = after.group(), after.end()
    if word == "vec!" and text[end : end + 1] in ("[", "("):
        row = _row(text, end, depth)
        return (Items(row[0]), row[1]) if row else None
    generic = re.compile(r"<[\w<>, .?]{0,80}>").match(text, end)
    if generic and text[generic.end() : generic.end() + 1] == "(":
        end = generic.end()
    if text[end : end + 1] in ("(", "["):
        made = _called(text, word, end, depth)
        if made is not None or text[end] == "(":
            return made
    if word in _TRUTHS:
        return Truth(_TRUTHS[word]), end
    if word in _NOTHINGS:
        return Nothing(word), end
    if word == "Optional.empty":
        return Made("none"), end
    return Word(word), end


def _called(text: str, word: str, end: int, depth: int) -> tuple[Value, int] | None:
    found = _row(text, end, depth)
    if found is None:
        return None
    items, end = found
    if text[end - 1] == "]":
        # ``Optional[a]`` is how Java prints it; text has no quotes there.
        return (Made("some", items), end) if word == "Optional" and len(items) == 1 else None
    inner = items[0] if len(items) == 1 else None
    row = inner.items if isinstance(inner, Items) and _COPYING.fullmatch(word) else items
    for pattern, kind in ((_ROWS, Kind.LIST), (_SETS, Kind.SET), (_TUPLES, Kind.TUPLE)):
        if pattern.fullmatch(word):
            return Items(row, kind), end
    if _TABLES.fullmatch(word):
        return _pairs(word, items, end)
    if word in _WRAPPERS:
        return Made(_WRAPPERS[word], items), end
    if inner is not None and _PLAIN.fullmatch(word):
        return inner, end
    return Made(word, items), end


def _pairs(word: str, items: tuple[Value, ...], end: int) -> tuple[Value, int] | None:
    """``Map.of(k, v, k, v)`` alternates; the others are rows of pairs."""
    if word == "Map.of":
        return (Entries(tuple(zip(items[::2], items[1::2], strict=True))), end) if len(items) % 2 == 0 else None
    first = items[0] if len(items) == 1 else None
    inner = first.items if isinstance(first, Items) and first.kind is Kind.LIST else items
    pairs = [one.items for one in inner if isinstance(one, Items) and len(one.items) == 2]
    return (Entries(tuple((a, b) for a, b in pairs)), end) if len(pairs) == len(inner) else None
