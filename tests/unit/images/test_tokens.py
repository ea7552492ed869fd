"""Challenges, tokens, and who may see credentials; nothing goes over a network."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from planner.errors import PermanentError
from providers.http.read_answer import HttpAnswer
from providers.images.docker_config_credentials import DockerConfigFileCredentials
from providers.images.registry_tokens import RegistryAuthorizer
from providers.web.bounded_http_client import BoundedHttpClient, HttpClientLimits

WORD = "canary-word"


class Asked(BoundedHttpClient):
    """Gives one answer and remembers what was asked."""

    def __init__(self, body: bytes = b'{"token": "t1"}', status: int = 200) -> None:
        super().__init__()
        self.answer = HttpAnswer(status, {}, body)
        self.calls: list[tuple[str, Mapping[str, str]]] = []

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] = {},  # never changed
        body: bytes = b"",
        limits: HttpClientLimits | None = None,
    ) -> HttpAnswer:
        """The one answer."""
        self.calls.append((url, headers))
        return self.answer


def credentials(folder: Path, host: str) -> DockerConfigFileCredentials:
    file = folder / "config.json"
    file.write_text(json.dumps({"auths": {host: {"username": "robot", "password": WORD}}, "credsStore": "pass"}))
    return DockerConfigFileCredentials(file)


def bearer(realm: str, scope: str = "repository:a:pull") -> str:
    return f'Bearer realm="{realm}",service="s t",scope="{scope}"'


def test_a_token_is_fetched_once_and_used_until_it_ends(tmp_path: Path) -> None:
    web = Asked(b'{"access_token": "t1", "expires_in": 300}')
    auth = RegistryAuthorizer(web, "https://r.example", credentials=credentials(tmp_path, "r.example"))
    assert auth.header("a", write=False) == ""
    assert auth.answer("a", bearer("https://r.example/t?x=1", "repository:a:pull repository:b:pull"), write=False)
    assert auth.header("a", write=False) == "Bearer t1"
    assert auth.header("a", write=True) == auth.header("b", write=False) == ""
    ((url, headers),) = web.calls
    assert url == "https://r.example/t?x=1&service=s+t&scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull"
    assert headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize("seconds", [0, -5, 4, "300", None, 1e99, [], True])
def test_an_odd_life_time_is_no_harm(tmp_path: Path, seconds: object) -> None:
    web = Asked(json.dumps({"token": "t1", "expires_in": seconds}).encode())
    auth = RegistryAuthorizer(web, "https://r.example", credentials=DockerConfigFileCredentials(tmp_path / "none"))
    assert auth.answer("a", bearer("https://r.example/t"), write=False) == "Bearer t1"


@pytest.mark.parametrize(
    "realm",
    [
        "https://evil.example/t",
        "http://r.example/t",
        "https://r.example.evil.example/t",
        "https://r.example@evil.example/t",
        "https://r.example:444/t",
        "//r.example/t",
        "/t",
        "",
        "https://[/t",
    ],
)
def test_a_foreign_realm_is_never_asked(tmp_path: Path, realm: str) -> None:
    web = Asked()
    auth = RegistryAuthorizer(web, "https://r.example", credentials=credentials(tmp_path, "r.example"))
    with pytest.raises(PermanentError, match="nothing was sent there") as caught:
        auth.answer("a", bearer(realm), write=False)
    assert web.calls == []
    assert "tokenRealms" in caught.value.remedy


def test_a_configured_realm_is_asked_over_https_only(tmp_path: Path) -> None:
    for scheme, calls in (("https", 1), ("http", 0)):
        web = Asked()
        auth = RegistryAuthorizer(
            web, "https://r.example", frozenset({"t.example"}), credentials=credentials(tmp_path, "r.example")
        )
        try:
            auth.answer("a", bearer(f"{scheme}://t.example/t"), write=False)
        except PermanentError:
            assert scheme == "http"
        assert len(web.calls) == calls


def test_credentials_stay_on_this_machine_over_plain_http(tmp_path: Path) -> None:
    web = Asked()
    auth = RegistryAuthorizer(web, "http://r.example", credentials=credentials(tmp_path, "r.example"))
    for challenge in ('Basic realm="x"', bearer("http://r.example/t")):
        with pytest.raises(PermanentError, match="plain HTTP"):
            auth.answer("a", challenge, write=False)
    assert web.calls == []
    near = RegistryAuthorizer(web, "http://127.0.0.1:5000", credentials=credentials(tmp_path, "127.0.0.1:5000"))
    assert near.answer("a", 'Basic realm="x"', write=False).startswith("Basic ")


@pytest.mark.parametrize(
    "challenge", ["", "Negotiate", "Digest realm=x", "Bearer", "\x1b[31m", "Bearer " + "a=" * 90_000]
)
def test_odd_challenges_are_refused(tmp_path: Path, challenge: str) -> None:
    auth = RegistryAuthorizer(Asked(), "https://r.example", credentials=DockerConfigFileCredentials(tmp_path / "none"))
    with pytest.raises(PermanentError):
        auth.answer("a", challenge, write=False)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 200), (b"[]", 200), (b"{}", 200), (b'{"token": "a\\r\\nX: y"}', 200), (b'{"token": 5}', 200), (b"{}", 403)],
)
def test_odd_answers_of_a_token_server(tmp_path: Path, body: bytes, status: int) -> None:
    auth = RegistryAuthorizer(Asked(body, status), "https://r.example", credentials=credentials(tmp_path, "r.example"))
    with pytest.raises(PermanentError) as caught:
        auth.answer("a", bearer("https://r.example/t"), write=False)
    assert WORD not in f"{caught.value} {caught.value.remedy}"


def test_a_credential_helper_is_named_and_not_run(tmp_path: Path) -> None:
    auth = RegistryAuthorizer(Asked(), "https://other.example", credentials=credentials(tmp_path, "r.example"))
    with pytest.raises(PermanentError) as caught:
        auth.answer("a", 'Basic realm="x"', write=False)
    assert "helper" in caught.value.remedy


def test_where_credentials_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("named.json", "config.json"):
        entry = {"username": name.partition(".")[0], "password": "p"}
        (tmp_path / name).write_text(json.dumps({"auths": {"registry.example": entry}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
    assert _user(DockerConfigFileCredentials()) == "config"
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "named.json"))
    assert _user(DockerConfigFileCredentials()) == "named"


def _user(credentials: DockerConfigFileCredentials) -> str:
    return base64.b64decode(credentials.basic("registry.example").removeprefix("Basic ")).decode().partition(":")[0]
