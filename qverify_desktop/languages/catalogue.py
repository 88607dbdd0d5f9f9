"""The languages that there are. Adding one is adding its folder and a line here."""

from __future__ import annotations

from qverify_desktop.languages.base import Language


def languages(patience_s: int | None = None) -> tuple[Language, ...]:
    """One of each. ``patience_s``: seconds after which a test or an import counts as hung, for jobs made from now on."""
    from qverify_desktop.languages.go.language import GoLanguage
    from qverify_desktop.languages.java.language import JavaLanguage
    from qverify_desktop.languages.javascript.dialects import JAVASCRIPT, TYPESCRIPT
    from qverify_desktop.languages.javascript.language import JavaScriptLanguage
    from qverify_desktop.languages.kotlin.language import KotlinLanguage
    from qverify_desktop.languages.python.language import PythonLanguage
    from qverify_desktop.languages.rust.language import RustLanguage

    found: tuple[Language, ...] = (
        PythonLanguage(),
        JavaScriptLanguage(JAVASCRIPT),
        JavaScriptLanguage(TYPESCRIPT),
        GoLanguage(),
        JavaLanguage(),
        KotlinLanguage(),
        RustLanguage(),
    )
    for language in found if patience_s is not None else ():
        language.set_patience(patience_s or 1)
    return found
