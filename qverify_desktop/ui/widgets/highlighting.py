"""Colours of source code: Pygments tokens as spans of lines, made in small steps; the words for colours are design tokens.

Only languages that are named here are lexed, and only texts of a sane size: a lexer is a set of regular expressions, and
the text may have been written to make one slow.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence

from pygments.lexer import Lexer
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, Punctuation, String, _TokenType
from PySide6.QtGui import QTextCharFormat

from qverify_desktop.ui.theme import Theme

#: (column, length, place in ``KINDS``), in characters of the line.
Span = tuple[int, int, int]

KINDS = (
    "syntax-text",
    "syntax-keyword",
    "syntax-string",
    "syntax-number",
    "syntax-comment",
    "syntax-function",
    "syntax-type",
    "syntax-operator",
    "syntax-error",
)
#: Longer texts stay in one colour.
LONGEST_TEXT = 4_000_000
#: Tokens between two steps.
STEP = 200

_TEXT, _KEYWORD, _STRING, _NUMBER, _COMMENT, _FUNCTION, _TYPE, _OPERATOR, _ERROR = range(len(KINDS))
#: The nearest ancestor of a token decides.
_OF_TOKEN: dict[_TokenType, int] = {
    Comment: _COMMENT,
    Comment.Preproc: _KEYWORD,
    Error: _ERROR,
    Keyword: _KEYWORD,
    Keyword.Type: _TYPE,
    Name.Attribute: _FUNCTION,
    Name.Builtin: _TYPE,
    Name.Builtin.Pseudo: _TEXT,
    Name.Class: _TYPE,
    Name.Decorator: _FUNCTION,
    Name.Exception: _TYPE,
    Name.Function: _FUNCTION,
    Name.Tag: _KEYWORD,
    Number: _NUMBER,
    Operator: _OPERATOR,
    Operator.Word: _KEYWORD,
    Punctuation: _OPERATOR,
    String: _STRING,
}
#: Language to the lexer's module and class.
_LEXERS = {
    "python": ("pygments.lexers.python", "PythonLexer"),
    "javascript": ("pygments.lexers.javascript", "JavascriptLexer"),
    "typescript": ("pygments.lexers.javascript", "TypeScriptLexer"),
    "java": ("pygments.lexers.jvm", "JavaLexer"),
    "kotlin": ("pygments.lexers.jvm", "KotlinLexer"),
    "go": ("pygments.lexers.go", "GoLexer"),
    "rust": ("pygments.lexers.rust", "RustLexer"),
    "c": ("pygments.lexers.c_cpp", "CLexer"),
    "cpp": ("pygments.lexers.c_cpp", "CppLexer"),
    "csharp": ("pygments.lexers.dotnet", "CSharpLexer"),
    "ruby": ("pygments.lexers.ruby", "RubyLexer"),
    "php": ("pygments.lexers.php", "PhpLexer"),
    "shell": ("pygments.lexers.shell", "BashLexer"),
    "json": ("pygments.lexers.data", "JsonLexer"),
    "yaml": ("pygments.lexers.data", "YamlLexer"),
    "toml": ("pygments.lexers.configs", "TOMLLexer"),
}
_OTHER_NAMES = {
    "py": "python",
    "js": "javascript",
    "jsx": "javascript",
    "ts": "typescript",
    "tsx": "typescript",
    "c++": "cpp",
    "c#": "csharp",
    "cs": "csharp",
    "bash": "shell",
    "sh": "shell",
}


def lexer_of(language: str) -> Lexer | None:
    """The lexer of a language (case does not matter), ``None`` for one that has no colours."""
    name = language.casefold()
    found = _LEXERS.get(_OTHER_NAMES.get(name, name))
    if found is None:
        return None
    made: Lexer = getattr(importlib.import_module(found[0]), found[1])(stripnl=False, ensurenl=False)
    return made


def lex(text: str, language: str, into: list[Sequence[Span]]) -> Iterator[None]:
    """Append the spans of each line of ``text`` (lines end with LF) to ``into``, a few tokens at each step.

    Parts in the plain colour have no span. A line is appended when it is complete, so ``into`` grows while this runs.
    """
    lexer = lexer_of(language) if len(text) <= LONGEST_TEXT else None
    if lexer is None:
        return
    kinds: dict[_TokenType, int] = {}
    # Tuples, because the garbage collector looks at lists again and again, and there may be a hundred thousand lines.
    line: list[Span] = []
    column = 0
    for count, (_, token, value) in enumerate(lexer.get_tokens_unprocessed(text), 1):
        kind = kinds.get(token)
        if kind is None:
            kind = kinds[token] = _kind_of(token)
        first, *others = value.split("\n") if "\n" in value else (value,)
        if kind and first:
            line.append((column, len(first), kind))
        column += len(first)
        for part in others:
            into.append(tuple(line))
            line, column = [], len(part)
            if kind and part:
                line.append((0, column, kind))
        if not count % STEP:
            yield
    into.append(tuple(line))


def _kind_of(token: _TokenType) -> int:
    where: _TokenType | None = token
    while where is not None:
        if where in _OF_TOKEN:
            return _OF_TOKEN[where]
        where = where.parent
    return _TEXT


def formats(theme: Theme) -> tuple[QTextCharFormat, ...]:
    """One format for each of ``KINDS`` in the theme's colours."""
    made = []
    for token in KINDS:
        one = QTextCharFormat()
        one.setForeground(theme.colour(token))
        made.append(one)
    return tuple(made)
