"""Programs for the steps of a lane's pipeline: they really push images and really commit to a GitOps repository.

Names of tasks, parameters and results are those of the lanes' pipelines; type-hint names of results are Tekton's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.testbed.git_fixtures import BareRepository
from tests.testbed.image_registry import ImageRegistry
from tests.testbed.small_image import push_small_image
from tests.testbed.tekton_steps import Outcome, Program, Step

_PINNED = re.compile(r"\S+@sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Lane:
    """The places that a lane's pipeline writes to: images go to `prefix` of the registry, commits to `branch`. With a
    `source`, a ref of a repository, nothing is promoted that it has left behind (B3)."""

    registry: ImageRegistry
    gitops: BareRepository
    prefix: str
    branch: str = "main"
    source: tuple[BareRepository, str] | None = None
    waits: Mapping[str, float] = field(default_factory=dict)  # task -> seconds that it takes

    def programs(self) -> dict[str, Program]:
        """What its tasks do."""
        return {"build-": self._timed(self.build), "gitops-promote": self._timed(self.promote)}

    def _timed(self, program: Program) -> Program:
        def run(step: Step) -> Outcome | None:
            step.over.wait(self.waits.get(step.task, 0.0))
            return program(step)

        return run

    def build(self, step: Step) -> Outcome:
        """`build-SERVICE` with the parameter `commit`: push an image of this commit."""
        service, commit = step.task.removeprefix("build-"), str(step.params["commit"])
        repository, tag = f"{self.prefix}/{service}", commit[:12]
        digest = push_small_image(self.registry, repository, tag, commit)
        url = f"{self.registry.host}/{repository}:{tag}"
        given = {"IMAGE_URL": url, "IMAGE_DIGEST": digest, "digest": digest}
        return Outcome({name: given[name] for name in step.results if name in given}, log=f"pushed {url}@{digest}\n")

    def promote(self, step: Step) -> Outcome:
        """`gitops-promote`: in all files of the branch, images of the parameters `REPOSITORY@sha256:...` take that
        digest, in one commit that is never forced; without a change the revision is the tip. What the source has left
        behind is not pushed: exit 3, as of the shipped script."""
        pins = [str(value) for value in step.params.values() if _PINNED.fullmatch(str(value))]
        ref = f"refs/heads/{self.branch}"
        tip = self.gitops.at(ref)
        names = self.gitops.git("ls-tree", "-r", "--name-only", tip).splitlines()
        files = {name: self.gitops.read(tip, name) + "\n" for name in names}
        changed = {name: _pinned(text, pins) for name, text in files.items()}
        changed = {name: text for name, text in changed.items() if text != files[name]}
        if not changed:
            return Outcome({"gitopsRevision": tip}, log="nothing to promote\n")
        if (left := self._left_behind(str(step.params.get("commit", "")))) is not None:
            return left
        revision = self.gitops.write(ref, changed, f"promote {step.params.get('commit', step.run)}")
        return Outcome({"gitopsRevision": revision}, log=f"pushed {revision}\n")

    def _left_behind(self, commit: str) -> Outcome | None:
        if self.source is None:
            return None
        repository, ref = self.source
        tip = repository.at(ref)
        return None if tip == commit else Outcome(exit_code=3, log=f"superseded: {ref} is at {tip}, this is {commit}\n")


def _pinned(text: str, pins: list[str]) -> str:
    for pin in pins:
        name = re.escape(re.sub(r":[^:/]+$", "", pin.partition("@")[0]))
        text = re.sub(rf"{name}(:[\w.-]+)?(@sha256:[0-9a-f]{{64}})?(?=\s|\"|$)", pin, text)
    return text
