"""Programs and recipes (see ``qv_inputs`` and ``qv_trial``) as JSON and back. A literal travels as its source text."""

import ast


def encode(recipe):
    """A recipe as JSON: literals as their source text."""
    tag = recipe[0]
    if tag == "l":
        return ["l", repr(recipe[1])]
    if tag in ("L", "T"):
        return [tag, [encode(item) for item in recipe[1]]]
    if tag == "n":
        named = {name: encode(item) for name, item in recipe[4].items()}
        return ["n", recipe[1], recipe[2], [encode(item) for item in recipe[3]], named]
    return list(recipe)


def decode(document):
    """The reverse of ``encode``, for recipes that come with the request."""
    return ("l", ast.literal_eval(document))


def encode_program(program):
    receiver, steps = program
    return [
        None if receiver is None else encode(receiver),
        [
            [k, n, [encode(p) for p in pos], {key: encode(item) for key, item in named.items()}]
            for k, n, pos, named in steps
        ],
    ]


def program_of(encoded):
    receiver, steps = encoded
    return (
        None if receiver is None else recipe_of(receiver),
        [
            (k, n, [recipe_of(p) for p in pos], {key: recipe_of(item) for key, item in named.items()})
            for k, n, pos, named in steps
        ],
    )


def recipe_of(document):
    tag = document[0]
    if tag == "l":
        return decode(document[1])
    if tag in ("L", "T"):
        return (tag, [recipe_of(item) for item in document[1]])
    if tag == "n":
        named = {name: recipe_of(item) for name, item in document[4].items()}
        return ("n", document[1], document[2], [recipe_of(item) for item in document[3]], named)
    return tuple(document)
