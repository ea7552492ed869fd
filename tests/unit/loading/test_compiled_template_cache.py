"""The code of templates between commands: what compiling gives, never of a Secret, and harmless when it is broken."""

from __future__ import annotations

import marshal
from pathlib import Path
from types import CodeType

import pytest

from planner import jinja_templating
from planner.compiled_template_cache import compile_template_cached
from planner.jinja_templating import TemplateProblem, render_template
from planner.sealed_cache import SealedCache
from tests.unit.loading.fakes import CANARY

TEXT = "---\na: {{ lane.name }}\nb:\n{% for one in lane.parts %}\n- {{ one | quote }}\n{% endfor %}\n"
VALUES = {"lane": {"name": "v03", "parts": ["x", "y"]}}


def compiled(text: str) -> CodeType:
    return compile(text, "<template>", "exec")


def refused(text: str) -> CodeType:
    raise AssertionError(f"compiled again: {text}")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test, and nothing compiled in this process."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    jinja_templating._compiled_file.cache_clear()
    return tmp_path / "cache" / "hwplan" / "templates"


def test_a_template_is_compiled_by_the_first_command_alone(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.yaml.j2"
    file.write_text(TEXT)
    first = render_template(file, VALUES)
    assert len(list(own_cache.iterdir())) == 1
    jinja_templating._compiled_file.cache_clear()
    monkeypatch.setattr(jinja_templating._Environment, "compile", lambda *_, **__: pytest.fail("compiled again"))
    assert render_template(file, VALUES) == first
    with pytest.raises(TemplateProblem) as problem:
        render_template(file, {"lane": {"name": "v03"}})
    assert problem.value.line == 4, "lines are those of the template, also of code that was read"


@pytest.mark.parametrize(
    "text",
    [
        f"kind: Secret\nstringData: {{a: {CANARY}}}",
        f'kind: "Secr\\u0065t"\ndata: {{a: {CANARY}}}',
        f"kind: >-\n  Secret\na: {CANARY}",
        f"stringData: {{a: {CANARY}}}",
    ],
)
def test_no_text_that_may_hold_a_secret_is_kept(text: str, tmp_path: Path, own_cache: Path) -> None:
    file = tmp_path / "a.yaml.j2"
    file.write_text(text)
    assert CANARY in render_template(file, {})
    assert not own_cache.exists()


def test_other_versions_have_other_code(tmp_path: Path) -> None:
    compile_template_cached("1", compiled, b"one", tmp_path)
    compile_template_cached("1", refused, b"one", tmp_path)
    with pytest.raises(AssertionError, match="compiled again"):
        compile_template_cached("1", refused, b"other", tmp_path)


def test_the_version_is_that_of_the_checks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The code of a template holds the checks of the sandbox: with other checks it is made anew."""
    before = jinja_templating._version_of_code()
    jinja_templating._version_of_code.cache_clear()
    other = tmp_path / "jinja_templating.py"
    other.write_bytes(Path(jinja_templating.__file__).read_bytes() + b"# another check\n")
    monkeypatch.setattr(jinja_templating, "__file__", str(other))
    assert jinja_templating._version_of_code() != before
    jinja_templating._version_of_code.cache_clear()


@pytest.mark.parametrize("broken", [b"", b"x", marshal.dumps(7), b"\xff" * 9])
def test_code_that_is_not_as_it_was_written_is_made_anew(broken: bytes, tmp_path: Path) -> None:
    compile_template_cached("1", compiled, b"", tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(broken)
    assert compile_template_cached("1", compiled, b"", tmp_path) == compiled("1")
    SealedCache(tmp_path, 9, 999).write(file.name, broken)  # sealed, and no code all the same
    assert compile_template_cached("1", compiled, b"", tmp_path) == compiled("1")


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert compile_template_cached("1", compiled, b"", tmp_path / "file" / "cache") == compiled("1")


def test_the_oldest_make_room(tmp_path: Path) -> None:
    few, small = SealedCache(tmp_path / "few", 3, 999), SealedCache(tmp_path / "small", 99, 300)
    for n in range(6):
        few.write(str(n), b"x")
        small.write(str(n), b"x" * 100)
    assert len(list(few.folder.iterdir())) == 3 and few.read("5") == b"x" and few.read("0") is None
    assert 1 <= len(list(small.folder.iterdir())) <= 3 and small.read("5") == b"x" * 100
    assert {file.stat().st_mode & 0o777 for file in few.folder.iterdir()} == {0o600}
    assert few.folder.stat().st_mode & 0o777 == 0o700


def test_nothing_is_read_that_another_user_can_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = SealedCache(tmp_path, 9, 999)
    cache.write("a", b"x")
    assert cache.read("a") == b"x"
    (tmp_path / "a").chmod(0o622)
    assert cache.read("a") is None
    (tmp_path / "a").chmod(0o600)
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    assert cache.read("a") is None


def test_a_user_without_a_home_has_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home(_: type[Path]) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", classmethod(no_home))
    file = tmp_path / "a.yaml.j2"
    file.write_text("a: {{ b }}\n")
    assert render_template(file, {"b": 1}) == "a: 1\n"
