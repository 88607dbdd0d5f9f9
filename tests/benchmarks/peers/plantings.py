"""Contradictions planted in real projects: one small change each, after which an example that the project writes no longer holds.

They were chosen by reading the projects' documentation, before any tool was run on the planted code. ``bench_peers`` evaluates each
example on the untouched and on the planted code, and counts only a planting for which it held before and does not hold after.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Planting:
    """In ``file`` of ``project`` the text ``right`` (found once, as many lines as ``wrong``) becomes ``wrong``.

    ``symbol`` is the function that is changed. ``example`` is a call as the documentation has it, ``says`` the value that it
    writes for it, both as source; ``setup`` are the statements before it.
    """

    project: str
    file: str
    symbol: str
    right: str
    wrong: str
    example: str
    says: str
    setup: str = ""


_BILLS = 'bills = {"Alice": [20, 15, 30], "Bob": [10, 35]}'
_ORDER = "transaction = {'name': 'Alice', 'purchase': {'items': ['Apple', 'Orange'], 'costs': [0.50, 1.25]}}"

PLANTINGS = (
    Planting(
        "inflection",
        "inflection/__init__.py",
        "camelize",
        "camelize(string)[1:]",
        "camelize(string)[2:]",
        'camelize("device_type", False)',
        "'deviceType'",
    ),
    Planting(
        "inflection",
        "inflection/__init__.py",
        "dasherize",
        "return word.replace('_', '-')",
        "return word.replace('-', '_')",
        'dasherize("puni_puni")',
        "'puni-puni'",
    ),
    Planting(
        "inflection",
        "inflection/__init__.py",
        "ordinal",
        "(11, 12, 13)",
        "(12, 13)",
        "ordinal(-11)",
        "'th'",
    ),
    Planting(
        "inflection",
        "inflection/__init__.py",
        "parameterize",
        "return string.lower()",
        "return string",
        'parameterize(u"Donald E. Knuth")',
        "'donald-e-knuth'",
    ),
    Planting(
        "python-string-utils",
        "string_utils/manipulation.py",
        "reverse",
        "return input_string[::-1]",
        "return input_string[-2::-1]",
        "reverse('hello')",
        "'olleh'",
    ),
    Planting(
        "python-string-utils",
        "string_utils/manipulation.py",
        "booleanize",
        "return input_string.lower() in ('true', '1', 'yes', 'y')",
        "return input_string in ('true', '1', 'yes', 'y')",
        "booleanize('YES')",
        "True",
    ),
    Planting(
        "python-string-utils",
        "string_utils/validation.py",
        "is_integer",
        "return is_number(input_string) and '.' not in input_string",
        "return is_number(input_string)",
        "is_integer('42.0')",
        "False",
    ),
    Planting(
        "python-string-utils",
        "string_utils/validation.py",
        "is_palindrome",
        "            head_char = head_char.lower()\n            tail_char = tail_char.lower()",
        "            head_char = head_char.lower()\n            tail_char = tail_char.upper()",
        "is_palindrome('Lol', ignore_case=True)",
        "True",
    ),
    Planting(
        "python-string-utils",
        "string_utils/validation.py",
        "is_isogram",
        "len(set(input_string)) == len(input_string)",
        "len(set(input_string)) <= len(input_string)",
        "is_isogram('hello')",
        "False",
    ),
    Planting(
        "more-itertools",
        "more_itertools/recipes.py",
        "ncycles",
        "repeat(tuple(iterable), n)",
        "repeat(tuple(iterable), n - 1)",
        'list(ncycles(["a", "b"], 3))',
        "['a', 'b', 'a', 'b', 'a', 'b']",
    ),
    Planting(
        "more-itertools",
        "more_itertools/recipes.py",
        "quantify",
        "return sum(map(pred, iterable))",
        "return sum(map(bool, iterable))",
        "quantify(range(100, 200), pred=lambda x: x<120)",
        "20",
    ),
    Planting(
        "more-itertools",
        "more_itertools/recipes.py",
        "grouper",
        "        case 'ignore':\n            return zip(*iterators)",
        "        case 'ignore':\n            return zip_longest(*iterators)",
        "list(grouper('ABCDEFG', 3, incomplete='ignore', fillvalue='x'))",
        "[('A', 'B', 'C'), ('D', 'E', 'F')]",
    ),
    Planting(
        "more-itertools",
        "more_itertools/recipes.py",
        "powerset",
        "combinations(s, r) for r in range(len(s) + 1)",
        "combinations(s, r) for r in range(len(s))",
        "list(powerset([1, 2, 3]))",
        "[(), (1,), (2,), (3,), (1, 2), (1, 3), (2, 3), (1, 2, 3)]",
    ),
    Planting(
        "more-itertools",
        "more_itertools/recipes.py",
        "unique",
        "sorted(iterable, key=key, reverse=reverse)",
        "sorted(iterable, key=key)",
        "list(unique('ABBcCAD', str.casefold, reverse=True))",
        "['D', 'c', 'B', 'A']",
    ),
    Planting(
        "toolz",
        "toolz/dicttoolz.py",
        "valmap",
        "rv.update(zip(d.keys(), map(func, d.values())))",
        "rv.update(zip(d.keys(), map(func, d.keys())))",
        "valmap(len, bills)",
        "{'Alice': 3, 'Bob': 2}",
        _BILLS,
    ),
    Planting(
        "toolz",
        "toolz/dicttoolz.py",
        "keyfilter",
        "if predicate(k):",
        "if not predicate(k):",
        "keyfilter(iseven, {1: 2, 2: 3, 3: 4, 4: 5})",
        "{2: 3, 4: 5}",
        "iseven = lambda x: x % 2 == 0",
    ),
    Planting(
        "toolz",
        "toolz/dicttoolz.py",
        "dissoc",
        "remaining.difference_update(keys)",
        "remaining.intersection_update(keys)",
        "dissoc({'x': 1, 'y': 2}, 'y', 'x')",
        "{}",
    ),
    Planting(
        "toolz",
        "toolz/dicttoolz.py",
        "get_in",
        "        return default",
        "        return None",
        "get_in(['purchase', 'total'], transaction, 0)",
        "0",
        _ORDER,
    ),
    Planting(
        "toolz",
        "toolz/itertoolz.py",
        "take_nth",
        "itertools.islice(seq, 0, None, n)",
        "itertools.islice(seq, 1, None, n)",
        "list(take_nth(2, [10, 20, 30, 40, 50]))",
        "[10, 30, 50]",
    ),
    Planting(
        "toolz",
        "toolz/itertoolz.py",
        "isdistinct",
        "return len(seq) == len(set(seq))",
        "return len(seq) >= len(set(seq))",
        "isdistinct([1, 2, 1])",
        "False",
    ),
    Planting(
        "humanize",
        "src/humanize/number.py",
        "ordinal",
        "(11, 12, 13)",
        "(12, 13)",
        "ordinal(111)",
        "'111th'",
    ),
    Planting(
        "humanize",
        "src/humanize/number.py",
        "intcomma",
        'f"{value:,.{ndigits}f}"',
        'f"{value:.{ndigits}f}"',
        "intcomma(1234.5454545, 2)",
        "'1,234.55'",
    ),
    Planting(
        "humanize",
        "src/humanize/number.py",
        "apnumber",
        "if not 0 <= value < 10:",
        "if not 0 < value < 10:",
        "apnumber(0)",
        "'zero'",
    ),
    Planting(
        "humanize",
        "src/humanize/filesize.py",
        "naturalsize",
        "base = 1024 if (gnu or binary) else 1000",
        "base = 1024 if binary else 1000",
        "naturalsize(3000, False, True)",
        "'2.9K'",
    ),
    Planting(
        "humanize",
        "src/humanize/lists.py",
        "natural_list",
        '", ".join(item_list[:-1])',
        '", ".join(item_list[:-2])',
        'natural_list(["one", "two", "three"])',
        "'one, two and three'",
    ),
    Planting(
        "w3lib",
        "w3lib/html.py",
        "remove_comments",
        'return _REMOVECOMMENTS_RE.sub("", utext)',
        'return _REMOVECOMMENTS_RE.sub(" ", utext)',
        'w3lib.html.remove_comments(b"test <!--textcoment--> whatever")',
        "'test  whatever'",
        "import w3lib.html",
    ),
    Planting(
        "w3lib",
        "w3lib/http.py",
        "basic_auth_header",
        "{to_unicode(username)}:{to_unicode(password)}",
        "{to_unicode(password)}:{to_unicode(username)}",
        "w3lib.http.basic_auth_header('someuser', 'somepass')",
        "b'Basic c29tZXVzZXI6c29tZXBhc3M='",
        "import w3lib.http",
    ),
    Planting(
        "w3lib",
        "w3lib/url.py",
        "url_query_cleaner",
        '    if keep_fragments and fragment:\n        url = f"{url}#{fragment}"',
        '    if not keep_fragments and fragment:\n        url = f"{url}#{fragment}"',
        "w3lib.url.url_query_cleaner('http://domain.tld/?bla=123#123123', ['bla'], remove=True, keep_fragments=True)",
        "'http://domain.tld/#123123'",
        "import w3lib.url",
    ),
    Planting(
        "webcolors",
        "src/webcolors/_normalization.py",
        "normalize_hex",
        "2 * s for s in hex_digits",
        '"0" + s for s in hex_digits',
        'normalize_hex("#09c")',
        "'#0099cc'",
    ),
    Planting(
        "webcolors",
        "src/webcolors/_conversion.py",
        "rgb_to_rgb_percent",
        "d / 255.0 * 100:.02f",
        "d / 256.0 * 100:.02f",
        "tuple(rgb_to_rgb_percent((218, 165, 32)))",
        "('85.49%', '64.71%', '12.5%')",
    ),
)
