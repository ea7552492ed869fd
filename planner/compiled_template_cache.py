"""The code of templates, retained between commands: a file per text, never of one that may hold a Secret.

To compile a template takes a hundred times as long as to read its code. The key covers the text and whatever decides
what its code is: the versions of Python and Jinja, and the source of the module that compiles (its checks are in the
code). Files that are not as they were written are compiled anew, as the interpreter does with its own (`__pycache__`).
"""

from __future__ import annotations

import hashlib
import marshal
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Final

from planner.sealed_cache import SealedCache
from planner.user_cache_folder import user_cache_folder

_MOST_FILES: Final = 256
_MOST_BYTES: Final = 64 << 20
# Generous: a document of the kind Secret, however it is written, keeps the whole text out.
_MAY_HOLD_SECRET: Final = re.compile(r"\bSecret\b|stringData|kind[^\n]*\\")


def compile_template_cached(
    source: str, compile_template: Callable[[str], CodeType], version: bytes, folder: Path | None = None
) -> CodeType:
    """`compile_template(source)`, from the cache where possible. `version` names what compiles; `folder` is that of
    the cache, None means the user's. Raises what `compile_template` raises."""
    if _MAY_HOLD_SECRET.search(source):
        return compile_template(source)
    cache = SealedCache(folder or user_cache_folder("templates"), _MOST_FILES, _MOST_BYTES)
    hashed = hashlib.sha256(f"{sys.implementation.cache_tag} {sys.hexversion} ".encode() + version)
    hashed.update(source.encode("utf-8", "surrogatepass"))
    key = f"{hashed.hexdigest()}.code"
    if (known := cache.read(key)) is not None:
        try:
            code = marshal.loads(known)  # noqa: S302 - as the interpreter's own: who can write here can write code
        except (EOFError, ValueError, TypeError):
            code = None
        if isinstance(code, CodeType):
            return code
    code = compile_template(source)
    cache.write(key, marshal.dumps(code))
    return code
