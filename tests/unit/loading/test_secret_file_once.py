"""All keys of a load come from one version of a secrets file, also where it is replaced meanwhile; and a file that
cannot be read is named however many keys it should give."""

from __future__ import annotations

from pathlib import Path

from planner.address import Address
from planner.loading.document_origin import DocumentOrigin, DocumentText
from planner.loading.resource_collector import ResourceCollector
from planner.loading.secrets.secret_files import ParsedSecretFile, SecretFileRef
from planner.loading.secrets.secret_reader import SecretReader
from planner.loading.secrets.secret_source_expansion import SecretSourceToSecretExpander
from planner.plan import Action, BlockedResource
from planner.render.blocked_reasons_and_warnings import blocked_reason
from planner.spec.kinds.secret_and_manifest_sources import SecretSource
from planner.values import SecretValue
from tests.unit.loading.fakes import KeyedFingerprinter


class Rotating(SecretReader):
    """Reads another version of every file each time."""

    reads = 0

    def file(self, file: SecretFileRef) -> ParsedSecretFile:
        Rotating.reads += 1
        version = b"version-%d" % Rotating.reads
        return ParsedSecretFile({key: SecretValue(version) for key in ("A", "B")}, False)


def test_two_keys_of_a_file_are_of_one_version(tmp_path: Path) -> None:
    prints, Rotating.reads = KeyedFingerprinter(), 0
    intake = ResourceCollector(prints)
    sources = SecretSourceToSecretExpander(Rotating({"N": tmp_path}), prints, intake, {}, {})
    for name, keys in (("one", {"A": "A", "B": "B"}), ("two", {"B": "B"})):
        spec = {
            "target": {"namespace": "x", "name": name},
            "sources": [{"file": {"path": "a.env"}}],
            "keyMapping": keys,
        }
        head = {"apiVersion": "hwplan.dev/v1", "kind": "SecretSource", "metadata": {"name": name}}
        source = SecretSource.model_validate({**head, "spec": spec})
        origin = DocumentOrigin(DocumentText("t.yaml.j2", "a: 1\n"), 0, 1)
        sources.expand(source, origin, node="N", owned_by="set", scope="infra", node_lane="")
    one, two = (intake.resources[Address("", "Secret", "", "x", name)].manifest["data"] for name in ("one", "two"))
    assert Rotating.reads == 1
    assert {leaf.fingerprint for leaf in (*one.values(), *two.values())} == {prints.fingerprint(b"version-1")}


def test_a_broken_file_is_named_whatever_the_number_of_keys(tmp_path: Path) -> None:
    prints = KeyedFingerprinter()
    intake = ResourceCollector(prints)
    sources = SecretSourceToSecretExpander(SecretReader({"N": tmp_path}), prints, intake, {}, {})
    keys = {f"DATABASE_PASSWORD_{n}": f"DATABASE_PASSWORD_{n}" for n in range(200)}
    spec = {"target": {"namespace": "x", "name": "s"}, "sources": [{"file": {"path": "a.env"}}], "keyMapping": keys}
    head = {"apiVersion": "hwplan.dev/v1", "kind": "SecretSource", "metadata": {"name": "s"}}
    origin = DocumentOrigin(DocumentText("t.yaml.j2", "a: 1\n"), 0, 1)
    source = SecretSource.model_validate({**head, "spec": spec})
    sources.expand(source, origin, node="N", owned_by="set", scope="infra", node_lane="")
    ((address, reason),) = intake.blocked.items()
    shown = blocked_reason(BlockedResource(address, Action.CREATE, reason))
    assert shown == reason and "and 192 more: a.env does not exist" in shown
