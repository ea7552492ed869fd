"""The whole documents of GitHub, made of the few fields that providers.simulated_github gives.

Owns what stands in the fields that hwplan never reads, so that answers are as GitHub's description of its API says.
"""

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
API = "https://api.github.com"
WEB = "https://github.com"
_TIME = "2026-01-01T00:00:00Z"
_USER_URLS = (
    *("events", "followers", "following", "gists", "organizations", "received_events", "repos", "starred"),
    "subscriptions",
)
_REPO_URLS = (
    "archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits", "compare", "contents",
    "contributors", "deployments", "downloads", "events", "forks", "git_commits", "git_refs", "git_tags", "hooks",
    "issue_comment", "issue_events", "issues", "keys", "labels", "languages", "merges", "milestones", "notifications",
    "pulls", "releases", "stargazers", "statuses", "subscribers", "subscription", "tags", "teams", "trees",
)  # fmt: skip


def user(login: str) -> Json:
    """An account."""
    url = f"{API}/users/{login}"
    kind = "Bot" if login.endswith("[bot]") else "User"
    named = {"login": login, "id": sum(login.encode()), "node_id": "U_1", "url": url, "html_url": f"{WEB}/{login}"}
    more = {"avatar_url": f"{WEB}/a.png", "gravatar_id": "", "site_admin": False, "type": kind}
    return {**named, **more, **{f"{name}_url": f"{url}/{name}" for name in _USER_URLS}}


def repository(name: str) -> Json:
    """A repository."""
    owner, short = name.split("/")
    url, web = f"{API}/repos/{name}", f"{WEB}/{name}"
    places = {"url": url, "html_url": web, "clone_url": f"{web}.git", "git_url": f"git:{web}", "ssh_url": web}
    flags = ("fork", "private", "has_downloads", "has_issues", "has_projects", "has_wiki", "has_pages", "archived")
    counts = (
        "forks",
        "forks_count",
        "open_issues",
        "open_issues_count",
        "stargazers_count",
        "watchers",
        "watchers_count",
    )
    empty = ("description", "homepage", "language", "mirror_url", "license", "pushed_at", "created_at", "updated_at")
    return {
        "id": 1, "node_id": "R_1", "name": short, "full_name": name, "owner": user(owner), "default_branch": "main",
        **places, "svn_url": web, "size": 0, "disabled": False, **dict.fromkeys(flags, False),
        **dict.fromkeys(counts, 0),
        **dict.fromkeys(empty), **{f"{one}_url": f"{url}/{one}" for one in _REPO_URLS},
    }  # fmt: skip


def label(lean: Json, repo: str) -> Json:
    """A label."""
    name = lean["name"]
    more = {"id": 1, "node_id": "L_1", "color": "ededed", "default": False, "description": ""}
    return {**more, "name": name, "url": f"{API}/repos/{repo}/labels/x"}


_ONLY_BY_ITSELF = ("merged", "merged_by", "mergeable", "mergeable_state")


def listed_pull(lean: Json, repo: str) -> Json:
    """A pull request as it stands in a list."""
    url, web = f"{API}/repos/{repo}/pulls/{lean['number']}", f"{WEB}/{repo}/pull/{lean['number']}"
    issue = f"{API}/repos/{repo}/issues/{lean['number']}"
    links = ("self", "html", "issue", "comments", "review_comments", "review_comment", "commits", "statuses")
    sides = {name: _side(lean[name], repo) for name in ("head", "base")}
    left = {key: value for key, value in lean.items() if key not in _ONLY_BY_ITSELF}
    return {
        **left, **sides, "user": user(lean["user"]["login"]), "labels": [label(one, repo) for one in lean["labels"]],
        "url": url, "html_url": web, "diff_url": f"{web}.diff", "patch_url": f"{web}.patch", "issue_url": issue,
        "node_id": "PR_1", "commits_url": f"{url}/commits", "comments_url": f"{issue}/comments",
        "statuses_url": f"{url}/statuses",
        "review_comments_url": f"{url}/comments", "review_comment_url": f"{url}/comments/{{number}}", "assignee": None,
        "milestone": None, "author_association": "MEMBER", "_links": {one: {"href": url} for one in links},
        "auto_merge": lean["auto_merge"] and {
            "enabled_by": user("someone"), "merge_method": "merge", "commit_title": "", "commit_message": "",
        },
    }  # fmt: skip


def _side(lean: Json, repo: str) -> Json:
    owner = repo.split("/")[0]
    return {**lean, "label": f"{owner}:{lean['ref']}", "repo": repository(repo), "user": user(owner)}


def pull(lean: Json, repo: str) -> Json:
    """A pull request by itself."""
    counts = ("additions", "changed_files", "comments", "commits", "deletions", "review_comments")
    who = lean["merged_by"] and user(lean["merged_by"]["login"])
    more = {key: lean[key] for key in ("merged", "mergeable", "mergeable_state")}
    whole = {**listed_pull(lean, repo), **more, "merged_by": who, "maintainer_can_modify": False}
    return {**whole, **dict.fromkeys(counts, 0)}


def review(lean: Json, repo: str) -> Json:
    """A review."""
    url = f"{API}/repos/{repo}/pulls/1"
    links = {"html": {"href": url}, "pull_request": {"href": url}}
    more = {"node_id": "V_1", "html_url": url, "pull_request_url": url, "_links": links, "author_association": "MEMBER"}
    return {**lean, **more, "user": user(lean["user"]["login"])}


def issue(lean: Json, repo: str) -> Json:
    """An issue."""
    url, web = f"{API}/repos/{repo}/issues/{lean['number']}", f"{WEB}/{repo}/issues/{lean['number']}"
    places = {"url": url, "html_url": web, "comments_url": f"{url}/comments", "events_url": f"{url}/events"}
    more = {"labels_url": f"{url}/labels{{/name}}", "repository_url": f"{API}/repos/{repo}", "node_id": "I_1"}
    whole = {**lean, **places, **more, "user": user(lean["user"]["login"]), "assignee": None, "milestone": None}
    whole |= {"labels": [label(one, repo) for one in lean["labels"]], "author_association": "MEMBER"}
    if "pull_request" in lean:
        whole["pull_request"] = {"url": url, "html_url": web, "diff_url": web, "patch_url": web}
    return whole


def comment(lean: Json, repo: str) -> Json:
    """A comment."""
    url = f"{API}/repos/{repo}/issues"
    html = f"{WEB}/{repo}/issues/{lean['issue_number']}#issuecomment-{lean['id']}"
    places = {"url": f"{url}/comments/{lean['id']}", "html_url": html, "issue_url": f"{url}/{lean['issue_number']}"}
    kept = {key: value for key, value in lean.items() if key != "issue_number"}
    more = {"node_id": "C_1", "author_association": "MEMBER", "user": user(lean["user"]["login"])}
    return {**kept, **places, **more}


def check_run(lean: Json, repo: str) -> Json:
    """A check run."""
    url = f"{API}/repos/{repo}/check-runs/{lean['id']}"
    output = {
        "title": None,
        "summary": None,
        "text": None,
        "annotations_count": 0,
        "annotations_url": f"{url}/annotations",
    }
    kept = {key: lean[key] for key in ("id", "name", "head_sha", "status", "conclusion")}
    more = {"node_id": "K_1", "url": url, "html_url": None, "details_url": None, "external_id": None, "app": None}
    done = _TIME if lean["status"] == "completed" else None
    whole = {**kept, **more, "output": output, "check_suite": {"id": 1}, "pull_requests": []}
    return {**whole, "started_at": _TIME, "completed_at": done}


def simple_status(lean: Json, repo: str) -> Json:
    """A status in the combined one: without its creator."""
    return {**lean, "node_id": "S_1", "avatar_url": None, "url": f"{API}/repos/{repo}/statuses/x"}


def status(lean: Json, repo: str) -> Json:
    """A status by itself."""
    return {**simple_status(lean, repo), "creator": user(lean["creator"]["login"])}


def combined_status(lean: Json, repo: str) -> Json:
    """The combined status of a commit."""
    url = f"{API}/repos/{repo}/commits/{lean['sha']}"
    rows = [simple_status(one, repo) for one in lean["statuses"]]
    minimal = {key: value for key, value in repository(repo).items() if key in _MINIMAL or key.endswith("_url")}
    return {**lean, "statuses": rows, "repository": minimal, "commit_url": url, "url": f"{url}/status"}


_MINIMAL = ("id", "node_id", "name", "full_name", "owner", "private", "description", "fork", "url")


def commit(lean: Json, repo: str) -> Json:
    """A commit."""
    url = f"{API}/repos/{repo}/commits/{lean['sha']}"
    person = {"name": "tester", "email": "tester@example.invalid", "date": _TIME}
    inner = lean["commit"]
    text = {
        "message": inner["message"],
        "tree": {"sha": inner["tree"]["sha"], "url": url},
        "url": url,
        "comment_count": 0,
    }
    parents = [{"sha": one["sha"], "url": url, "html_url": url} for one in lean["parents"]]
    whole = {"sha": lean["sha"], "node_id": "C_1", "url": url, "html_url": url, "comments_url": f"{url}/comments"}
    return {**whole, "commit": {**text, "author": person, "committer": person}, "parents": parents,
            "author": user("tester"), "committer": user("tester")}  # fmt: skip


def branch(lean: Json, repo: str) -> Json:
    """A branch with its protection."""
    url = f"{API}/repos/{repo}/branches/{lean['name']}"
    protection = lean["protection"]
    checks = {**protection["required_status_checks"], "checks": [], "enforcement_level": "everyone"}
    whole = {**lean, "commit": commit(lean["commit"], repo), "_links": {"html": url, "self": url}}
    return {
        **whole,
        "protection": {**protection, "required_status_checks": checks},
        "protection_url": f"{url}/protection",
    }


def rule(lean: Json, repo: str) -> Json:
    """A rule of a branch."""
    return {**lean, "ruleset_source_type": "Repository", "ruleset_source": repo}


def comparison(lean: Json, repo: str) -> Json:
    """A comparison."""
    url = f"{API}/repos/{repo}/compare/a...b"
    places = {f"{name}_url": url for name in ("html", "permalink", "diff", "patch")}
    sides = {name: commit(lean[name], repo) for name in ("base_commit", "merge_base_commit")}
    files = [
        {**one, "sha": None, "additions": 0, "deletions": 0, "changes": 0, "blob_url": url, "raw_url": url,
         "contents_url": url} for one in lean["files"]
    ]  # fmt: skip
    return {**lean, **sides, **places, "url": url, "files": files}


def me(lean: Json, repo: str) -> Json:
    """The account that asks."""
    counts = dict.fromkeys(("followers", "following", "public_gists", "public_repos"), 0)
    empty = dict.fromkeys(("bio", "blog", "company", "email", "hireable", "location", "name"))
    return {
        **user(lean["login"]),
        **counts,
        **empty,
        "created_at": _TIME,
        "updated_at": _TIME,
        "user_view_type": "public",
    }


def app(slug: str) -> Json:
    """A GitHub App."""
    named = {"id": 1, "slug": slug, "node_id": "A_1", "owner": user("owner"), "name": slug, "description": None}
    places = {"external_url": WEB, "html_url": f"{WEB}/apps/{slug}", "created_at": _TIME, "updated_at": _TIME}
    return {**named, **places, "permissions": {"issues": "write"}, "events": []}


ONE: dict[str, Callable[[Json, str], Json]] = {
    "pulls": listed_pull, "pull": pull, "reviews": review, "issues": issue, "comments": comment, "labels": label,
    "check-runs": check_run, "statuses": status, "status": combined_status, "branches": branch, "rules": rule,
    "compare": comparison, "user": me,
}  # fmt: skip
