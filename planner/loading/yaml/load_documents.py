"""The bounded loader: bytes in, plain values out, every problem with file, line and column.

Owns the order of the steps: encoding, JSON streams, YAML. How values come to be is planner.loading.yaml.value_builder.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from planner.errors import ConfigError, Problem
from planner.loading.problems import Problems
from planner.loading.yaml.document_limits import CONFIG, MANIFEST, TEMPLATE, YamlDocument, YamlLimits
from planner.loading.yaml.json_stream import JsonStreamPiece, split_json_stream
from planner.loading.yaml.output_tags import parse_output_tag
from planner.loading.yaml.value_builder import YamlValueBuilder
from planner.source_line_ref import SourceRef

__all__ = [
    "CONFIG",
    "MANIFEST",
    "TEMPLATE",
    "YamlDocument",
    "YamlLimits",
    "decode_text",
    "load_documents",
    "parse_output_tag",
]
VERSION: Final = "2"  # of the values that come out; part of the key of the parse cache
_BAD_CHARACTER: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_MOST_TRIES: Final = 100  # each mends one scalar
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def load_documents(data: bytes, file: str, limits: YamlLimits) -> tuple[YamlDocument, ...]:
    """All documents of `data`, empty ones included (value None). Raises ConfigError with every problem of the file."""
    text = decode_text(data, file, limits)
    problems = Problems()
    documents: list[YamlDocument] = []
    for piece in split_json_stream(with_final_line_end(text)) if limits.api else (JsonStreamPiece(text),):
        documents += _documents(piece, file, limits, problems)
    if not problems.found and len(documents) > limits.documents:
        problems.add(SourceRef(file), f"more than {limits.documents} documents")
    problems.raise_any()
    return tuple(documents)


def _documents(piece: JsonStreamPiece, file: str, limits: YamlLimits, problems: Problems) -> tuple[YamlDocument, ...]:
    if (document := piece.document(limits)) is not None:
        return (document,)
    if piece.problem:
        problems.add(SourceRef(file, piece.line + 1), piece.problem)
        return ()
    text, parse = piece.yaml, None
    for _ in range(_MOST_TRIES):
        builder = YamlValueBuilder(text, file, limits, piece.line, parse)
        documents = builder.run()
        if builder.again is None:
            break
        parse, text = builder.again
    problems.extend(builder.notes.problems.found)
    return documents


def with_final_line_end(text: str) -> str:
    """The text with its last line ended, as kubectl reads it: a block scalar there ends in a line feed."""
    return text if text.endswith("\n") else text + "\n"


def decode_by_byte_order_mark(data: bytes) -> str:
    """The text of an input. A byte order mark decides the encoding, as for kubectl; without one it is UTF-8. Raises
    UnicodeDecodeError."""
    return data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig")


def decode_text(data: bytes, file: str, limits: YamlLimits) -> str:
    """`data` as text. Raises ConfigError when it is too large, not UTF-8, or holds control characters."""
    if len(data) > limits.size:
        raise ConfigError((Problem(SourceRef(file), f"larger than {limits.size >> 20} MiB"),))
    try:
        text = decode_by_byte_order_mark(data)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError((Problem(SourceRef(file, line), "not UTF-8", "save the file as UTF-8"),)) from None
    if not text.isprintable() and (bad := _BAD_CHARACTER.search(text)):
        line = text.count("\n", 0, bad.start()) + 1
        column = bad.start() - text.rfind("\n", 0, bad.start())
        code = f"U+{ord(bad[0]):04X}"
        raise ConfigError(
            (Problem(SourceRef(file, line, column), f"control character {code}", "write it as an escape"),)
        )
    return text
