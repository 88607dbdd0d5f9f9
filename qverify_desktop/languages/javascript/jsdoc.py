"""Types that doc comments declare (JSDoc, ``@param`` and ``@returns``), for functions whose syntax declares none."""

from __future__ import annotations

import re
from dataclasses import replace

from qverify_desktop.domain.project import Target

_TAG = re.compile(
    r"@(?P<tag>param|arg|argument|returns?)[ \t]{1,40}\{(?P<type>(?:[^{}\n]|\{[^{}\n]{0,200}\}){1,200})\}"
    r"(?:[ \t]{1,40}(?P<optional>\[?)[ \t]{0,9}(?P<name>[A-Za-z_$][\w$]{0,100})(?P<rest>[.\[]?))?"
)


def documented(target: Target) -> Target:
    """The target with declared types from its doc comment where its syntax has none."""
    types: dict[str, str] = {}
    optional: set[str] = set()
    returns = ""
    for match in _TAG.finditer(target.docstring[:20_000]):
        text = match["type"].strip()
        if match["tag"].startswith("return"):
            returns = returns or text
        elif match["name"] and match["rest"] != ".":
            types.setdefault(match["name"], text.removesuffix("=").removeprefix("...").strip())
            if match["optional"] or text.endswith("="):
                optional.add(match["name"])
    if not (types or returns):
        return target
    parameters = tuple(
        replace(
            one,
            annotation=one.annotation or types.get(one.name, ""),
            default="undefined" if one.default is None and one.name in optional else one.default,
        )
        for one in target.parameters
    )
    return replace(target, parameters=parameters, returns=target.returns or returns)
