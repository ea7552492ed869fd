"""Kubeconfigs as people have them: merged files, every way to log in, and errors without credentials."""

from __future__ import annotations

import base64
import os
import stat
import sys
from pathlib import Path

import pytest

from planner.errors import ConfigError, HwplanError, SelectionError
from providers.kubernetes.client.kubeconfig import (
    ApiServerConnectionSettings,
    namespace_of_context,
    resolve_connection_settings,
)

TOKEN = "tok-hunter2-hunter2"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def config(
    user: str = f"token: {TOKEN}", cluster: str = "", server: str = "https://k8s.example:6443", context: str = ""
) -> str:
    return f"""
apiVersion: v1
kind: Config
current-context: one
contexts:
- name: one
  context: {{cluster: c, user: u{context}}}
clusters:
- name: c
  cluster: {{server: "{server}"{cluster}}}
users:
- name: u
  user: {{{user}}}
"""


def at(tmp_path: Path, text: str, name: str = "config") -> str:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def load(tmp_path: Path, text: str, context: str = "") -> ApiServerConnectionSettings:
    return resolve_connection_settings(at(tmp_path, text), context, environ={})


def test_token(tmp_path: Path) -> None:
    found = load(tmp_path, config())
    assert (found.server, found.host, found.context) == ("https://k8s.example:6443", "k8s.example:6443", "one")
    assert found.credentials.authorization == f"Bearer {TOKEN}"
    assert found.namespace == "default" and not found.insecure and found.renew is None


def test_the_namespace_of_a_context_needs_no_credentials(tmp_path: Path) -> None:
    program = "exec: {apiVersion: client.authentication.k8s.io/v1, command: /does/not/exist}"
    file = at(tmp_path, config(user=program, context=", namespace: team"))
    assert namespace_of_context(file, environ={}) == "team"
    assert namespace_of_context(file, "other", environ={}) == "default"
    assert namespace_of_context(at(tmp_path, config(), "plain"), environ={}) == "default"


def test_token_file_is_relative_to_the_kubeconfig_and_goes_before_the_token(tmp_path: Path) -> None:
    found = load(tmp_path, config(f"tokenFile: sub/token, token: {TOKEN}"))
    assert found.credentials.token_file == str(tmp_path / "sub/token")
    assert found.credentials.authorization == ""


def test_basic(tmp_path: Path) -> None:
    found = load(tmp_path, config("username: alice, password: hunter2"))
    assert found.credentials.authorization == "Basic " + b64("alice:hunter2")


def test_client_certificate_by_data_and_by_file(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("KEY")
    found = load(tmp_path, config(f"client-certificate-data: {b64('CERT')}, client-key: key.pem"))
    assert (found.credentials.certificate, found.credentials.key) == (b"CERT", b"KEY")


def test_everything_about_the_cluster(tmp_path: Path) -> None:
    cluster = (
        f", certificate-authority-data: {b64('CA')}, certificate-authority: missing.pem, tls-server-name: inside,"
        " insecure-skip-tls-verify: true, proxy-url: 'http://proxy.example:3128'"
    )
    found = load(tmp_path, config(cluster=cluster, context=", namespace: demo"))
    assert (found.ca, found.tls_server_name, found.insecure) == (b"CA", "inside", True)
    assert (found.proxy, found.namespace) == ("http://proxy.example:3128", "demo")


def test_acting_as_another_user(tmp_path: Path) -> None:
    found = load(tmp_path, config(f"token: {TOKEN}, as: bob, as-groups: [a, b]"))
    assert found.credentials.impersonate == (
        ("Impersonate-User", "bob"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
    )


def test_no_credential_is_shown(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        config(
            f"token: {TOKEN}, client-certificate-data: {b64('CERT-hunter2')}, client-key-data: {b64('KEY-hunter2')}",
            ", proxy-url: 'http://u:hunter2@proxy.example:3128'",
        ),
    )
    assert "hunter2" not in repr(found) + str(found)


@pytest.mark.parametrize(
    ("server", "host"),
    [
        ("https://k8s.example", "k8s.example:443"),
        ("https://[2001:db8::1]:6443/", "[2001:db8::1]:6443"),
        ("https://k8s.example/k8s/clusters/c-1/", "k8s.example:443"),
    ],
)
def test_servers(tmp_path: Path, server: str, host: str) -> None:
    found = load(tmp_path, config(server=server))
    assert found.host == host and not found.server.endswith("/")


@pytest.mark.parametrize(
    "server",
    [
        "",
        "k8s.example:6443",
        "ftp://k8s.example",
        "https://",
        "https://u:p@k8s.example",
        "https://k8s.example:notaport",
        "https://k8s.example?a=b",
        "https://k8s.example/a b",
        "http://k8s.example:8080",
    ],
)
def test_servers_that_are_refused(tmp_path: Path, server: str) -> None:
    with pytest.raises(ConfigError, match="cluster c: ") as caught:
        load(tmp_path, config(server=server))
    assert caught.value.where == str(tmp_path / "config")


def test_http_is_for_this_machine_or_without_credentials(tmp_path: Path) -> None:
    assert load(tmp_path, config(server="http://127.0.0.1:8080")).server == "http://127.0.0.1:8080"
    assert load(tmp_path, config(user="", server="http://k8s.example:8080")).credentials.authorization == ""


# --- several files -------------------------------------------------------------------------------------------------

OTHER = f"""
current-context: two
contexts: [{{name: two, context: {{cluster: c2, user: u}}}}, {{name: one, context: {{cluster: c2, user: u}}}}]
clusters: [{{name: c2, cluster: {{server: 'https://second.example', certificate-authority: ca.pem}}}}]
users: [{{name: u, user: {{token: other-{TOKEN}}}}}]
"""


def test_the_first_file_that_sets_a_value_wins(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/ca.pem").write_bytes(b"CA of the second")
    files = [at(tmp_path, config(), "a/config"), str(tmp_path / "absent"), at(tmp_path, OTHER, "b/config")]
    environ = {"KUBECONFIG": os.pathsep.join(files)}
    assert resolve_connection_settings(environ=environ).server == "https://k8s.example:6443"
    second = resolve_connection_settings(context="two", environ=environ)
    assert (second.server, second.ca) == ("https://second.example", b"CA of the second")
    assert second.credentials.authorization == f"Bearer {TOKEN}"
    assert resolve_connection_settings(environ={"KUBECONFIG": os.pathsep.join(reversed(files))}).context == "two"


def test_an_explicit_file_is_the_only_one(tmp_path: Path) -> None:
    environ = {"KUBECONFIG": at(tmp_path, OTHER, "b/config")}
    with pytest.raises(SelectionError, match="no context named 'two'") as caught:
        resolve_connection_settings(at(tmp_path, config(), "a/config"), "two", environ=environ)
    assert caught.value.remedy == "contexts are: one"


def test_the_home_folder_comes_last(tmp_path: Path) -> None:
    at(tmp_path, config(), ".kube/config")
    assert resolve_connection_settings(environ={"HOME": str(tmp_path)}).context == "one"


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(HwplanError, match="does not exist"):
        resolve_connection_settings(str(tmp_path / "absent"), environ={})
    with pytest.raises(HwplanError, match="no file that KUBECONFIG names exists"):
        resolve_connection_settings(environ={"KUBECONFIG": str(tmp_path / "absent")})


def test_nothing_at_all(tmp_path: Path) -> None:
    with pytest.raises(HwplanError, match="no kubeconfig") as caught:
        resolve_connection_settings(environ={"HOME": str(tmp_path)}, pod=tmp_path)
    assert "--kubeconfig" in caught.value.remedy


def test_in_a_pod(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "ca.crt").write_bytes(b"CA")
    (tmp_path / "namespace").write_text("ci\n")
    environ = {"HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": "2001:db8::1", "KUBERNETES_SERVICE_PORT": "443"}
    found = resolve_connection_settings(environ=environ, pod=tmp_path)
    assert (found.server, found.ca, found.namespace) == ("https://[2001:db8::1]:443", b"CA", "ci")
    assert found.credentials.token_file == str(tmp_path / "token")


# --- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no current-context is set"),
        ("[1, 2]", "this is not a kubeconfig"),
        ("users: [{name: u, user: {token: hunter2", "this is not valid YAML"),
        (f"token: hunter2\n\tbad: {TOKEN}", "this is not valid YAML"),
        ("contexts: 3\ncurrent-context: a", "contexts must be a list"),
        ("contexts: [{context: {}}]", "every item of contexts needs a name"),
        ("[" * 20_000, "nested too deeply"),
        (config().replace("user: u}", "user: v}"), "there is no user named 'v'"),
        (config().replace("cluster: c,", "cluster: d,"), "there is no cluster named 'd'"),
        (config("client-certificate-data: '%%%hunter2'"), "client-certificate-data is not base64"),
        (config("client-certificate: absent.pem, client-key: k"), "client-certificate: cannot read absent.pem"),
        (config(f"client-certificate-data: {b64('x')}"), "go together"),
        (config('token: "a\\r\\nX-Evil: hunter2"'), "characters that no token has"),
        (config("token: [hunter2]"), "token must be a text"),
        (config(f'token: {TOKEN}, as: "a\\nb"'), "characters that no name has"),
    ],
)
def test_bad_files_are_named_and_their_contents_are_not(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load(tmp_path, text)
    error = caught.value
    assert error.where.startswith(str(tmp_path / "config"))
    assert "hunter2" not in repr(error) + str(error) + repr(error.problems)
    assert error.__suppress_context__ or error.__context__ is None


def test_bad_yaml_has_a_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "a: 1\nb: [\nc: }")
    assert caught.value.problems[0].source.line == 3


def test_an_unreadable_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read it"):
        path = tmp_path / "config"
        path.write_bytes(b"\xff\xfe\xff")
        resolve_connection_settings(str(path), environ={})


# --- plugins ---------------------------------------------------------------------------------------------------------


def plugin(tmp_path: Path, script: str) -> str:
    path = tmp_path / "plugin"
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return config(f"exec: {{apiVersion: client.authentication.k8s.io/v1, command: '{path}', interactiveMode: Never}}")


ANSWER = """
import json
kind = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}
print(json.dumps(kind | {"status": %s}))
"""


def test_an_exec_plugin_gives_a_token_and_gives_another_when_asked_again(tmp_path: Path) -> None:
    (tmp_path / "n").write_text("")
    counting = f"""
import pathlib
path = pathlib.Path({str(tmp_path / "n")!r})
n = path.read_text() + "x"
path.write_text(n)
"""
    found = load(tmp_path, plugin(tmp_path, counting + ANSWER % '{"token": "tok-" + n}'))
    assert found.credentials.authorization == "Bearer tok-x"
    assert found.renew is not None and found.renew().authorization == "Bearer tok-xx"


@pytest.mark.parametrize(
    "script",
    [
        "raise SystemExit('hunter2 is wrong')",
        ANSWER % "{}",
        "print('hunter2')",
        ANSWER % '{"token": ""}',
        ANSWER % '{"token": "a\\nb"}',
    ],
)
def test_an_exec_plugin_that_gives_nothing_is_an_error(
    tmp_path: Path, script: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ConfigError, match="user u: exec gave no credentials") as caught:
        load(tmp_path, plugin(tmp_path, script))
    assert "hunter2" not in repr(caught.value) + str(caught.value.problems) + capfd.readouterr().out + caplog.text


def test_a_plugin_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="exec gave no credentials"):
        load(tmp_path, config("exec: {apiVersion: client.authentication.k8s.io/v1, command: /nonexistent/plugin}"))
