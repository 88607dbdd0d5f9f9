"""Names that code binds and names that it takes from elsewhere."""

from __future__ import annotations

from tree_sitter import Node

from qverify_desktop.languages.tree.source import TreeSource, walk

GLOBALS = frozenset(
    [
        "Array",
        "ArrayBuffer",
        "BigInt",
        "Boolean",
        "Buffer",
        "DataView",
        "Date",
        "Error",
        "Float32Array",
        "Float64Array",
        "Infinity",
        "Int16Array",
        "Int32Array",
        "Int8Array",
        "Intl",
        "JSON",
        "Map",
        "Math",
        "NaN",
        "Number",
        "Object",
        "Promise",
        "RangeError",
        "ReferenceError",
        "RegExp",
        "Set",
        "String",
        "Symbol",
        "SyntaxError",
        "TextDecoder",
        "TextEncoder",
        "TypeError",
        "URL",
        "URLSearchParams",
        "Uint16Array",
        "Uint32Array",
        "Uint8Array",
        "WeakMap",
        "WeakSet",
        "console",
        "decodeURIComponent",
        "encodeURIComponent",
        "globalThis",
        "isFinite",
        "isNaN",
        "parseFloat",
        "parseInt",
        "structuredClone",
        "undefined",
    ]
)
_BINDING = frozenset(("identifier", "shorthand_property_identifier_pattern"))


def bound(source: TreeSource, statement: Node) -> list[str]:
    """Names that a statement at the top of a file binds."""
    node = statement
    if node.type == "export_statement":
        node = node.child_by_field_name("declaration") or node
    if node.type in ("lexical_declaration", "variable_declaration"):
        names = [child.child_by_field_name("name") for child in node.named_children]
        return [
            source.slice(inner)
            for name in names
            if name is not None
            for inner in walk(name)
            if inner.type in _BINDING
        ]
    if node.type == "import_statement":
        clause = next((child for child in node.named_children if child.type == "import_clause"), None)
        return [source.slice(name) for name in _imported(clause)] if clause is not None else []
    name = node.child_by_field_name("name") if node.type.endswith("_declaration") else None
    return [source.slice(name)] if name is not None else []


def _imported(clause: Node) -> list[Node]:
    found: list[Node] = []
    for node in walk(clause):
        if node.type == "import_specifier":
            name = node.child_by_field_name("alias") or node.child_by_field_name("name")
            found += [name] if name is not None else []
        elif node.type == "identifier" and node.parent is not None and node.parent.type != "import_specifier":
            found.append(node)
    return found


def used(source: TreeSource, node: Node) -> set[str]:
    """Every name that code mentions as a value."""
    kinds = ("identifier", "shorthand_property_identifier", "type_identifier")
    return {source.slice(inner) for inner in walk(node) if inner.type in kinds}


def free_names(source: TreeSource) -> set[str]:
    """Names that are used and bound nowhere in the code: parameters and declarations anywhere inside count as bound."""
    mentioned, made = set(), set()
    for node in walk(source.root):
        if node.type == "identifier" or node.type == "shorthand_property_identifier":
            mentioned.add(source.slice(node))
        if node.type == "shorthand_property_identifier_pattern":
            made.add(source.slice(node))
        if node.type in ("variable_declarator", "function_declaration", "class_declaration", "catch_clause"):
            field = node.child_by_field_name("name") or node.child_by_field_name("parameter")
            made |= {source.slice(inner) for inner in walk(field) if inner.type in _BINDING} if field else set()
        if node.type in ("formal_parameters", "required_parameter", "optional_parameter"):
            made |= {source.slice(inner) for inner in walk(node) if inner.type in _BINDING}
        if node.type == "arrow_function":
            single = node.child_by_field_name("parameter")
            made |= {source.slice(single)} if single is not None else set()
        if node.type == "for_in_statement":
            left = node.child_by_field_name("left")
            made |= {source.slice(inner) for inner in walk(left) if inner.type in _BINDING} if left else set()
    return mentioned - made
