"""The change that a plan is made of, as its reader is told: commit, base, what was due on the base anyway.

Read from the repository that the configuration stands in. The plan itself knows nothing of it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from planner.app.git_blame_of_declaring_lines import find_last_commits_of_declaring_lines, local_path_of_source
from planner.app.plan_with_inputs import open_session_with_plan
from planner.app.request import Request
from planner.errors import HwplanError, PermanentError
from planner.loading.manifest_files import KUSTOMIZE
from planner.plan import Plan
from planner.render.git_change_under_review import CommandOf, GitChangeUnderReview
from providers.git.local_repository_reader import LocalRepositoryReader


def read_git_change_under_review(
    request: Request, plan: Plan, *, planned_at: str, command_of: CommandOf, base: str = "", name: str = ""
) -> GitChangeUnderReview:
    """Read from the repository of the configuration which change a plan is made of: commit, base, authors. With
    `base`, a branch or commit, that is planned as well, of the same cluster.

    Raises HwplanError where `base` is given and cannot be planned. Without it a configuration in no repository is as
    good as any other.
    """
    context = GitChangeUnderReview(planned_at=planned_at, name=name, command_of=command_of)
    try:
        repository = LocalRepositoryReader.around(_place(request))
    except PermanentError:
        if base:
            raise
        return context
    paths = _inputs(request)
    branch = repository.branch()
    try:
        head = repository.commit("HEAD")
        context = replace(
            context,
            name=name or (f"branch {branch}" if branch else ""),
            head=head,
            dirty=repository.is_dirty(paths),
            written=_written(repository, request, plan),
            lines=find_last_commits_of_declaring_lines(request, plan, repository),
        )
    except PermanentError:
        if base:
            raise
        return context  # a repository without a commit, or files beside it
    if not base:
        return context
    commit = repository.commit(base)
    return replace(
        context,
        base=commit,
        base_name=base if base != commit else "",
        missing=repository.missing(commit),
        base_plan=_plan_of(request, repository, commit, base),
    )


def _place(request: Request) -> Path:
    """A folder of the input."""
    paths = _inputs(request)
    return paths[0] if paths[0].is_dir() else paths[0].parent


def _inputs(request: Request) -> list[Path]:
    """What is read to make the plan: files, or the configuration and the templates beside it."""
    if request.plain:
        return [Path(one.removeprefix(KUSTOMIZE)) for one in request.files if one != "-"] or [Path()]
    beside = request.config.resolve().parent / "templates"
    return [request.config, beside] if beside.is_dir() else [request.config]


def _written(repository: LocalRepositoryReader, request: Request, plan: Plan) -> dict[str, str]:
    """The last change of each file that declares something which others have changed by hand."""
    files = {one.source.file for one in plan.changes if one.source.file and any(item.manager for item in one.fields)}
    found = {}
    for file in sorted(files):
        path = local_path_of_source(request, file)
        if path is not None and (since := repository.last_change(path.resolve())):
            found[file] = since
    return found


def _plan_of(request: Request, repository: LocalRepositoryReader, commit: str, base: str) -> Plan:
    """The plan of the same selection with the configuration of a commit."""
    with TemporaryDirectory(prefix="hwplan-base-") as folder:
        there = Path(folder)
        try:
            repository.extract(commit, _inputs(request) if not _is_kustomized(request) else [repository.root], there)
            with open_session_with_plan(_at(request, repository, there)) as (one, _):
                return one.plan
        except HwplanError as error:
            where = error.where.replace(f"{folder}/", "")
            raise type(error)(
                f"the base cannot be planned: {error.message}", where=f"--base {base}: {where}", remedy=error.remedy
            ) from error


def _is_kustomized(request: Request) -> bool:
    """Whether a folder of the input may take files from beside it."""
    return any(file.startswith(KUSTOMIZE) for file in request.files)


def _at(request: Request, repository: LocalRepositoryReader, folder: Path) -> Request:
    if not request.plain:
        return replace(request, config=folder / repository.relative(request.config))
    moved = []
    for file in request.files:
        mark = KUSTOMIZE if file.startswith(KUSTOMIZE) else ""
        inside = folder / repository.relative(Path(file.removeprefix(KUSTOMIZE))) if file != "-" else None
        if inside is None or inside.exists():
            moved.append(file if inside is None else f"{mark}{inside}")
    return replace(request, files=tuple(moved))
