"""A CRD that uses what a schema can say about values: formats, bounds, junctors, rules, defaults, nulls."""

from __future__ import annotations

from typing import Any

from tests.testbed.definitions import definition_of

GROUP = "wide.example.org"
FORMATS = (
    "bsonobjectid", "byte", "cidr", "date", "date-time", "datetime", "duration", "hexcolor", "hostname", "int32",
    "ipv4", "ipv6", "mac", "password", "ssn", "unheard-of", "uuid", "uuid3", "uuid4", "uuid5", "email", "uri",
)  # fmt: skip
_TEXT = {"type": "string", "maxLength": 80}
_TEXTS = {"type": "array", "items": _TEXT, "maxItems": 6}
_NUMBERS = {"type": "array", "items": {"type": "integer"}, "maxItems": 6}

# Each on a field of its own: its schema, and the rules.
_RULED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "size": (_TEXT, ("size(self) <= 3 || self.startsWith('a')",)),
    "starts": (_TEXT, ("!self.contains(' ') && !self.endsWith('-')",)),
    "matching": (_TEXT, (r"self.matches('^[[:alnum:]]*$')",)),
    "strings": (_TEXT, ("self.lowerAscii() == self && self.indexOf('z') < 0 && self.replace('a', 'b').size() < 9",)),
    "splits": (_TEXT, ("self.split(',').size() < 2", "self.lastIndexOf('/') <= 0")),
    "part": (_TEXT, ("self.size() < 2 || self.substring(0, 1) != '/'",)),
    "unique": (_TEXTS, ("self.all(a, self.exists_one(b, a == b))",)),
    "first": (_TEXTS, ("self[0] != ''",)),
    "sorted": (_NUMBERS, ("self.isSorted()",)),
    "greatest": (_NUMBERS, ("self.size() == 0 || self.max() < 1000 && self.min() >= 0",)),
    "mapped": (_NUMBERS, ("self.map(x, x * 2).all(x, x < 200)", "self.filter(x, x > 1).size() < 3")),
    "integer": ({"type": "integer"}, ("self > 1 && self % 2 == 0 || self == -1",)),
    "double": ({"type": "number"}, ("self > 1.0 && self / 2.0 < 40.0",)),
    "day": ({"type": "string", "format": "date"}, ("self < timestamp('2025-01-01T00:00:00Z')",)),
    "span": ({"type": "string", "format": "duration"}, ("self < duration('1m')",)),
    "either": ({"x-kubernetes-int-or-string": True}, ("type(self) == int ? self > 0 : self.size() > 0",)),
    "dictionary": (
        {"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 5},
        ("self.all(key, key.size() < 4 && self[key] > 0)",),
    ),
    "object": (
        {
            "type": "object",
            "properties": {
                "namespace": _TEXT,
                "a-b": {"type": "integer"},
                "a.b": _TEXT,
                "mode": {"type": "string", "enum": ["one", "two", ""], "default": "one"},
                "low": {"type": "integer", "minimum": 0},
                "high": {"type": "integer"},
            },
        },
        (
            "!has(self.__namespace__) || self.__namespace__ != 'a'",
            "!has(self.a__dash__b) || self.a__dash__b > 0",
            "self.mode == 'two' ? has(self.a__dot__b) : true",
            "!(has(self.low) && has(self.high)) || self.low <= self.high",
        ),
    ),
    "items": (
        {
            "type": "array",
            "maxItems": 5,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": _TEXT, "kind": {"type": "string", "enum": ["A", "B"]}, "to": _TEXT},
            },
        },
        ("self.all(i, has(i.kind) && i.kind == 'A' ? has(i.to) : true)",),
    ),
}
_VALUES: dict[str, dict[str, Any]] = {
    "bounded": {"type": "integer", "minimum": 2, "maximum": 100, "exclusiveMaximum": True},
    "multiple": {"type": "integer", "multipleOf": 5},
    "fraction": {"type": "number", "minimum": 0.5, "exclusiveMinimum": True},
    "short": {"type": "integer", "format": "int32"},
    "pattern": {"type": "string", "pattern": "^([a-z0-9]+-?)*[a-z0-9]$", "maxLength": 70},
    "posix": {"type": "string", "pattern": "^[[:alpha:]][[:alnum:]_]*$"},
    "letters": {"type": "string", "pattern": r"^\pL+$"},
    "length": {"type": "string", "minLength": 1, "maxLength": 3},
    "nullable": {"type": "string", "nullable": True, "enum": ["a", "b", None]},
    "null-default": {"type": "string", "default": "x"},
    "few": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
    "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
    "pairs": {
        "type": "object",
        "additionalProperties": {"type": "string", "minLength": 1},
        "minProperties": 1,
        "maxProperties": 2,
    },
    "any": {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "anyOf": [{"required": ["a"]}, {"required": ["b"], "properties": {"b": {"minimum": 3}}}],
    },
    "one": {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
    },
    "all": {"type": "string", "allOf": [{"minLength": 2}, {"pattern": "a"}], "not": {"enum": ["abc"]}},
    "numbers": {
        "x-kubernetes-int-or-string": True,
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "pattern": r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE])?$",
    },
    "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"a": {"type": "integer"}}},
    "enumerated": {"type": "integer", "enum": [1, 2]},
}


def wide_crd() -> dict[str, Any]:
    """The definition."""
    fields = {name: dict(schema) for name, schema in _VALUES.items()}
    fields |= {f"format-{name}": {"type": "string", "format": name} for name in FORMATS}
    for name, (schema, rules) in _RULED.items():
        fields[name] = {**schema, "x-kubernetes-validations": [{"rule": rule} for rule in rules]}
    spec = {"type": "object", "properties": fields}
    rule = {"rule": "self.metadata.name != 'refused'", "message": "not this name"}
    whole = {"type": "object", "properties": {"spec": spec}, "x-kubernetes-validations": [rule]}
    return definition_of(GROUP, "Wide", "wides", whole)
