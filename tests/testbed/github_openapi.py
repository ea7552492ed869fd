"""GitHub's published description of its REST API, and whether an answer is as it says.

Owns the pin (npm `@octokit/openapi`, version and digest) and its cache: the description is fetched once through npm's
own client, cut to the paths that hwplan asks, and kept in the user's cache folder.
"""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tests.testbed.binaries import CACHE, locked
from tests.testbed.errors import PartMissing

PACKAGE, VERSION = "@octokit/openapi", "23.0.2"
DIGEST = "sha512-pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg=="
_MEMBER = "package/generated/api.github.com.json"
_REPO = "/repos/{owner}/{repo}"
PATHS = (
    *(f"{_REPO}/{rest}" for rest in (
        "pulls", "pulls/{pull_number}", "pulls/{pull_number}/merge", "pulls/{pull_number}/reviews",
        "commits/{ref}/check-runs", "commits/{ref}/status", "commits/{ref}/statuses", "statuses/{sha}",
        "commits/{commit_sha}/pulls",
        "issues", "issues/{issue_number}", "issues/{issue_number}/comments", "issues/comments/{comment_id}",
        "issues/{issue_number}/labels", "issues/{issue_number}/labels/{name}", "branches/{branch}",
        "rules/branches/{branch}", "compare/{basehead}",
    )),
    "/rate_limit", "/user", "/app", "/app/installations/{installation_id}/access_tokens",
)  # fmt: skip
_GENERAL = (401, 403, 404, 422, 429, 500, 502, 503)  # statuses that every path may answer
_MULTIPLE = ("{branch}", "{basehead}")  # parameters that hold slashes


def problems(method: str, path: str, status: int, body: Any) -> list[str]:
    """What is wrong with an answer, by the description; nothing for an answer that is as described.

    A status that the description does not list for the path is wrong, but for those that every path may have.
    """
    template = next((one for one in PATHS if _pattern(one).fullmatch(path)), None)
    if template is None:
        return [f"{path}: not among the paths of the description"]
    document = description()
    operation = document["paths"][template].get(method.lower())
    if operation is None:
        return [f"{method} {template}: not described"]
    answer = operation["responses"].get(str(status))
    if answer is None:
        general = {"$ref": "#/components/schemas/basic-error"}
        return (
            _wrong(general, body)
            if status in (401, 403, 404, 422, 429, 500, 502, 503)
            else [f"{status}: not described"]
        )
    schema = _resolved(answer, document).get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        return [] if body in (None, b"") else ["a body where none is described"]
    return [f"{method} {template} {status}: {one}" for one in _wrong(schema, body)]


def _wrong(schema: dict[str, Any], body: Any) -> list[str]:
    components = description()["components"]
    validator = Draft202012Validator({**schema, "components": components})
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(body)]


def _resolved(value: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in value:
        found: Any = document
        for word in value["$ref"].split("/")[1:]:
            found = found[word]
        value = found
    return value


@cache
def _pattern(template: str) -> re.Pattern[str]:
    words = re.split(r"(\{\w+\})", template)
    return re.compile("".join(
        (".+" if word in _MULTIPLE else "[^/]+") if word.startswith("{") else re.escape(word) for word in words
    ))  # fmt: skip


@cache
def description() -> dict[str, Any]:
    """The description, cut and made into JSON Schema. Raises PartMissing where it cannot be had."""
    paths = hashlib.sha256("\n".join((DIGEST, *PATHS)).encode()).hexdigest()[:12]
    file = CACHE / f"github-openapi-{VERSION}-{paths}.json"
    if not file.is_file():
        with locked(file):
            if not file.is_file():
                file.parent.mkdir(parents=True, exist_ok=True)
                partial = file.with_suffix(".partial")
                partial.write_text(json.dumps(_cut(_fetched())))
                partial.replace(file)
    found: dict[str, Any] = json.loads(file.read_bytes())
    return found


def _fetched() -> dict[str, Any]:
    npm = shutil.which("npm")
    if npm is None:
        raise PartMissing("npm is not installed (Debian: npm); it fetches GitHub's description of its API")
    with tempfile.TemporaryDirectory(prefix="hwplan-openapi-") as scratch:
        words = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", scratch]
        done = subprocess.run(words, cwd=scratch, capture_output=True, text=True, timeout=300)
        archive = next(Path(scratch).glob("*.tgz"), None)
        if done.returncode or archive is None:
            raise PartMissing(f"npm cannot fetch {PACKAGE} {VERSION}: {done.stderr.strip()[-500:]}")
        digest = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if digest != DIGEST:
            raise PartMissing(f"{PACKAGE} {VERSION} is not the one that is pinned: {digest}")
        with tarfile.open(archive) as tar:
            member = tar.extractfile(_MEMBER)
            assert member is not None
            found: dict[str, Any] = json.load(member)
            return found


def _cut(document: dict[str, Any]) -> dict[str, Any]:
    """The paths that are used and every component that they lead to, `nullable` written as JSON Schema has it."""
    result: dict[str, Any] = {"paths": {path: _plain(document["paths"][path]) for path in PATHS}, "components": {}}
    pending = _references(result["paths"])
    seen: set[str] = set()
    while pending:
        reference = pending.pop()
        if reference in seen:
            continue
        seen.add(reference)
        _, group, name = reference.removeprefix("#/").split("/")
        value = _plain(document["components"][group][name])
        result["components"].setdefault(group, {})[name] = value
        pending |= _references(value)
    return result


def _references(value: Any) -> set[str]:
    if isinstance(value, list):
        return {one for item in value for one in _references(item)}
    if not isinstance(value, dict):
        return set()
    here = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
    return here | {one for item in value.values() for one in _references(item)}


def _plain(value: Any) -> Any:
    """Without what is for readers only (examples are large), and with `nullable` resolved."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    plain = {
        key: _plain(item) for key, item in value.items() if key not in ("example", "examples", "x-github", "nullable")
        and not (key == "description" and isinstance(item, str) and "type" in value)
    }  # fmt: skip
    if value.get("nullable") is not True:
        return plain
    if isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
        if "enum" in plain:
            plain["enum"] = [*plain["enum"], None]
        return plain
    return {"anyOf": [plain, {"type": "null"}]}
