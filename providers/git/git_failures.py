"""What went wrong when git spoke with a remote: a kind, reported by the known words of git, ssh, curl and our
connector.

Pure. The words themselves are never passed on: a server writes part of them. Which kinds are tried again is decided
here (`is_transient_git_failure`); only transport errors of ssh are (spec 02, S16).
"""

from __future__ import annotations

from enum import StrEnum

from planner.errors import PermanentError
from providers.git.run_command import CommandResult, CommandTermination


class GitFailureKind(StrEnum):
    """The kinds of failure of a git command; the value is the sentence that people see."""

    UNREACHABLE = "it cannot be reached"
    LOST = "the connection was lost on the way"
    PROXY = "the proxy refuses to connect to it"
    DENIED = "it refuses the credentials"
    HOST_KEY = "its host key is not among the known ones"
    NOT_FOUND = "there is no such repository, or it may not be seen"
    NO_OBJECT = "it has no such object"
    NOT_OFFERED = "it does not hand out objects that no ref stands on"
    OWNER = "git does not trust the repository: its folder belongs to another user"
    TIMED_OUT = "it took too long"
    TOO_LONG = "its answer is too long"
    GARBLED = "its answer cannot be understood"
    NO_SSH = "the ssh binary is not on the PATH"
    OTHER = "git failed"


_REMEDIES = {
    GitFailureKind.UNREACHABLE: "check the network, the proxy and the host, then plan again",
    GitFailureKind.LOST: "plan again",
    GitFailureKind.PROXY: "check `ssh.proxy` and what the proxy lets through",
    GitFailureKind.DENIED: "check `ssh.identityFile` and the rights of that key",
    GitFailureKind.HOST_KEY: "list the host's keys in `ssh.knownHosts`, after checking them",
    GitFailureKind.NOT_FOUND: "check the URL and the rights of the key",
    GitFailureKind.NO_SSH: "install the client of OpenSSH",
    GitFailureKind.OWNER: "run as the owner of the repository",
}
# In this order: what is certain and permanent first, then what happens before any data, then the rest.
_WORDS: tuple[tuple[GitFailureKind, tuple[str, ...]], ...] = (
    (GitFailureKind.NO_SSH, ("cannot run ssh",)),
    (GitFailureKind.HOST_KEY, ("host key verification failed", "remote host identification has changed")),
    (
        GitFailureKind.DENIED,
        ("permission denied", "authentication failed", "could not read username", "could not read password"),
    ),
    (GitFailureKind.DENIED, ("returned error: 401", "returned error: 403", "too many authentication failures")),
    (GitFailureKind.PROXY, ("hwplan-connect: the proxy answered 40", "hwplan-connect: the proxy does not speak")),
    (GitFailureKind.PROXY, ("hwplan-connect: the proxy sent too long",)),
    (GitFailureKind.OWNER, ("dubious ownership",)),
    (GitFailureKind.NO_OBJECT, ("not our ref", "couldn't find remote ref", "bad object", "no such remote ref")),
    (GitFailureKind.NOT_OFFERED, ("unadvertised object",)),
    (GitFailureKind.NOT_FOUND, ("repository not found", "does not appear to be a git repository", "' not found")),
    (GitFailureKind.NOT_FOUND, ("returned error: 404", "no such file or directory")),
    # The answer to what was sent, not to the question before it: a gateway gave up, the server behind it need not have.
    (GitFailureKind.LOST, ("rpc failed; http 5",)),
    (GitFailureKind.UNREACHABLE, ("hwplan-connect:", "kex_exchange_identification", "banner exchange")),
    (GitFailureKind.UNREACHABLE, ("ssh: connect to host", "could not resolve host", "failed to connect to")),
    (GitFailureKind.UNREACHABLE, ("couldn't connect to server", "returned error: 5", "returned error: 429")),
    (GitFailureKind.LOST, ("connection reset", "connection timed out", "broken pipe", "connection refused")),
    (GitFailureKind.LOST, ("connection closed", "closed by remote host", "timeout, server")),
    (GitFailureKind.LOST, ("hung up unexpectedly", "early eof", "unexpected disconnect", "rpc failed", "empty reply")),
    (
        GitFailureKind.LOST,
        ("recv failure", "send failure", "transfer closed", "unexpected flush packet", "bad line length"),
    ),
    (GitFailureKind.LOST, ("could not read from remote repository", "invalid index-pack output", "unable to access")),
)


class GitCommandFailed(PermanentError):
    """Git could not do it. `kind` says why; `tries` is how often it was tried."""

    def __init__(self, shown: str, kind: GitFailureKind, *, tries: int = 1, exhausted: bool = False) -> None:
        end = f" (exhausted: {tries} tries)" if exhausted else ""
        super().__init__(f"{shown}: {kind.value}{end}", where=shown, remedy=_REMEDIES.get(kind, ""))
        self.kind = kind


def classify_git_failure(done: CommandResult) -> GitFailureKind:
    """The kind of a git command that failed, from the known words in its stderr."""
    match done.ended:
        case CommandTermination.TIMED_OUT:
            return GitFailureKind.TIMED_OUT
        case CommandTermination.TOO_LONG:
            return GitFailureKind.TOO_LONG
        case CommandTermination.ITSELF:
            text = _own_lines(done.err)
            return next((kind for kind, words in _WORDS if any(word in text for word in words)), GitFailureKind.OTHER)


def _own_lines(err: bytes) -> str:
    """What the programs on this side said, in lower case; what a server had them print is left out."""
    lines = err.decode("latin-1").lower().splitlines()
    return "\n".join(line for line in lines if not line.startswith("remote:"))


def is_transient_git_failure(kind: GitFailureKind) -> bool:
    """Whether another try may help, given that the transport is ssh."""
    return kind in (GitFailureKind.UNREACHABLE, GitFailureKind.LOST)


def may_have_pushed(kind: GitFailureKind) -> bool:
    """Whether a push that failed this way may have taken effect."""
    return kind in (
        GitFailureKind.LOST,
        GitFailureKind.TIMED_OUT,
        GitFailureKind.TOO_LONG,
        GitFailureKind.GARBLED,
        GitFailureKind.OTHER,
    )
