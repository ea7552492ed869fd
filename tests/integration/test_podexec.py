"""PodExec on a real cluster: once for each value, whatever happens on the way. A file says how often commands ran."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from planner.errors import PermanentError
from planner.events import ChangeResult
from planner.executor.apply_effect import ApplyFailure
from planner.plan import Change
from planner.ports import AbsentObject, PresentObject, PreviewEffect, UnreadableObject, Written
from planner.resource import Resource
from planner.values import OutputRef, SecretValue, parse_output_ref
from providers.cluster_interface import EndedCommand
from providers.kubernetes.client.kubeconfig import resolve_connection_settings
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.operations.command_runners import ContainerCommandRunner, PodCommandRunner, PodToRunCommandIn
from providers.kubernetes.operations.pod_exec_command import PodExecCommand
from providers.kubernetes.operations.podexec import PodExecProvider
from state.fingerprint import KeyedFingerprinter
from tests.integration.podexec_world import Shop, apply, ended, look, planned, shop_of
from tests.testbed.cluster import TestCluster
from tests.testbed.proxy import FaultProxy, Faults


@pytest.fixture(scope="module")
def common(cluster: TestCluster) -> Iterator[Shop]:
    with shop_of(cluster) as made:
        yield made


@pytest.fixture
def shop(common: Shop, tmp_path: Path) -> Shop:
    return common.fresh(tmp_path)


def failure(outcome: Written | ApplyFailure) -> ApplyFailure:
    assert isinstance(outcome, ApplyFailure), outcome
    return outcome


def test_it_runs_once_for_each_value_and_the_second_plan_is_empty(shop: Shop) -> None:
    wanted = shop.wanted(f"{shop.count}; echo 'done: Grüße'", key="sha256:1")
    seen, preview = look(shop.provider(), wanted)
    assert isinstance(seen, AbsentObject) and preview.effect is PreviewEffect.RUN and preview.on_change is None
    assert [str(field.path[0]) for field in preview.fields] == ["target", "container", "command", "oncePer"]
    change = planned(shop.provider(), wanted)
    assert shop.runs() == 0 and not [m for m in shop.marks() if m["data"]["exec"] == str(wanted.address)]

    made = apply(shop.provider(), change)
    assert isinstance(made, Written) and made.outputs == {"exitCode": 0} and not made.already
    assert made.said.startswith(f"exit code 0 in {shop.pod}; 14 bytes of output, hmac-sha256:"), "what is stored"
    assert made.printed == "done: Grüße"
    assert ended(apply(shop.provider(), change)) is ChangeResult.UNCHANGED, "an effect twice is one effect"
    seen, preview = look(shop.provider(), wanted)
    assert isinstance(seen, PresentObject) and seen.outputs == {"exitCode": 0} and seen.content == change.expects
    assert preview.effect is PreviewEffect.NONE and not preview.warnings and shop.runs() == 1

    other = replace(wanted, manifest={**wanted.manifest, "spec": {**wanted.manifest["spec"], "oncePer": "sha256:2"}})
    assert ended(apply(shop.provider(), planned(shop.provider(), other))) is ChangeResult.DONE
    assert shop.runs() == 2 and look(shop.provider(), wanted)[1].effect is PreviewEffect.NONE


def test_a_command_that_failed_is_planned_again_and_its_log_is_evidence(shop: Shop) -> None:
    script = f"{shop.count}; test $(wc -l < {shop.witness}) -gt 1 || {{ echo 'no table' >&2; exit 3; }}"
    wanted = shop.wanted(script)
    first = failure(apply(shop.provider(), planned(shop.provider(), wanted)))
    assert first.result is ChangeResult.FAILED and first.printed == "no table"
    assert first.message.startswith(f"exit code 3 in {shop.pod}; 9 bytes of output, hmac-sha256:")
    assert "plan again" in first.remedy
    seen, preview = look(shop.provider(), wanted)
    assert isinstance(seen, PresentObject) and seen.outputs == {"exitCode": 3} and preview.effect is PreviewEffect.RUN
    assert (preview.fields[-1].path, preview.fields[-1].before, preview.fields[-1].after) == (("exitCode",), 3, 0)
    assert "exit code 3" in preview.warnings[0]
    change = planned(shop.provider(), wanted)
    assert ended(apply(shop.provider(), change)) is ChangeResult.DONE
    assert shop.runs() == 2 and shop.mark_of(wanted)["data"]["attempt"] == "2"
    assert look(shop.provider(), wanted)[1].effect is PreviewEffect.NONE


def test_what_the_vault_knows_is_in_no_log(shop: Shop) -> None:
    secret = "hunter2-canary\nsecond-line-of-it"
    wanted = shop.wanted("echo hunter2-canary; echo \"p=second-line-of-it;\"; printf '\\033[31mred\\a\\n'; exit 1")
    vault = {"file:a#P": SecretValue(secret.encode())}
    printed = failure(apply(shop.provider(), planned(shop.provider(), wanted), vault)).printed
    assert printed.split("\n") == ["(secret)", "p=(secret);", "red\ufffd"]


def test_another_command_for_the_same_value_is_told(shop: Shop) -> None:
    wanted = shop.wanted("true")
    apply(shop.provider(), planned(shop.provider(), wanted))
    spec = {**wanted.manifest["spec"], "command": ["false"]}
    _, preview = look(shop.provider(), replace(wanted, manifest={**wanted.manifest, "spec": spec}))
    assert preview.effect is PreviewEffect.NONE and "another command" in preview.warnings[0]


def test_a_value_that_is_known_only_later(shop: Shop) -> None:
    ref = OutputRef(parse_output_ref("RegistryImage/api#digest").address, "digest")
    wanted = shop.wanted(shop.count, key=ref)
    seen, preview = look(shop.provider(), wanted)
    assert isinstance(seen, AbsentObject) and preview.effect is PreviewEffect.RUN and preview.fields[-1].after == ref
    change = planned(shop.provider(), wanted)
    with pytest.raises(PermanentError, match="not known"):
        shop.provider().apply(change, {})
    assert change.desired is not None
    filled = replace(change, desired={**change.desired, "spec": {**change.desired["spec"], "oncePer": "sha256:9"}})
    assert ended(apply(shop.provider(), filled)) is ChangeResult.DONE
    assert ended(apply(shop.provider(), filled)) is ChangeResult.UNCHANGED and shop.runs() == 1


def test_two_who_apply_at_once_run_it_once(shop: Shop) -> None:
    for number in range(4):
        wanted = shop.wanted(shop.count, key=f"sha256:{number}")
        sides = [(shop.provider(), planned(shop.provider(), wanted)) for _ in range(3)]
        gate = threading.Barrier(len(sides))

        def go(side: tuple[PodExecProvider, Change], gate: threading.Barrier = gate) -> ChangeResult:
            gate.wait(20)
            return ended(apply(*side))

        with ThreadPoolExecutor(len(sides)) as pool:
            results = list(pool.map(go, sides))
        assert shop.runs() == number + 1
        assert results.count(ChangeResult.DONE) == 1, results
        assert set(results) <= {ChangeResult.DONE, ChangeResult.UNCHANGED, ChangeResult.UNKNOWN}
        assert look(shop.provider(), wanted)[1].effect is PreviewEffect.NONE


def _lose(shop: Shop, wanted: Resource) -> ApplyFailure:
    """Apply through a proxy that drops all connections once the command runs."""
    with FaultProxy.before(shop.cluster.server) as proxy:
        provider = shop.provider(shop.cluster.through(proxy.port))
        change, before = planned(provider, wanted), shop.runs()

        def drop() -> None:
            shop.wait_for_runs(before + 1)
            proxy.drop_connections()

        thread = threading.Thread(target=drop)
        thread.start()
        outcome = failure(apply(provider, change))
        thread.join(20)
    return outcome


def test_a_connection_cut_while_it_runs_is_unknown_and_then_blocked(shop: Shop) -> None:
    wanted = shop.wanted(f"echo begun; {shop.count}; exec sleep 3")
    lost = _lose(shop, wanted)
    mark = shop.mark_of(wanted)
    headline, *seen = lost.message.split("\n")
    assert lost.result is ChangeResult.UNKNOWN and "may have run" in headline and seen in ([], ["begun"])
    assert mark["metadata"]["name"] in lost.remedy and shop.runs() == 1

    stale = replace(planned(shop.provider(), shop.wanted("true")), desired=wanted.manifest)
    assert failure(apply(shop.provider(), stale)).result is ChangeResult.UNKNOWN, "an apply that goes on finds the mark"
    _, preview = look(shop.provider(), wanted)
    assert "may have run" in preview.blocked and shop.pod in preview.evidence
    assert mark["metadata"]["name"] in preview.remedy and "idempotent" in preview.remedy
    assert shop.runs() == 1

    path = f"/api/v1/namespaces/{shop.namespace}/configmaps/{mark['metadata']['name']}"
    patch = {"data": {"exitCode": "0"}}
    shop.cluster.api().request("PATCH", path, patch, content_type="application/merge-patch+json")
    assert look(shop.provider(), wanted)[1].effect is PreviewEffect.NONE, (
        "somebody looked and said that it had succeeded"
    )
    shop.cluster.api().delete(path)
    assert look(shop.provider(), wanted)[1].effect is PreviewEffect.RUN


def test_an_idempotent_command_that_may_have_run_is_planned_again_and_not_by_the_same_run(shop: Shop) -> None:
    wanted = shop.wanted(f"{shop.count}; test $(wc -l < {shop.witness}) -gt 1 || exec sleep 3", idempotent=True)
    assert _lose(shop, wanted).result is ChangeResult.UNKNOWN and shop.runs() == 1
    _, preview = look(shop.provider(), wanted)
    assert preview.effect is PreviewEffect.RUN and not preview.blocked and "not on record" in preview.warnings[0]
    change = planned(shop.provider(), wanted)
    assert ended(apply(shop.provider(), change)) is ChangeResult.DONE and shop.runs() == 2
    assert ended(apply(shop.provider(), change)) is ChangeResult.UNCHANGED and shop.runs() == 2


@pytest.mark.parametrize("cut", ["reset_after", "cut_after", "reset_after_up"])
def test_cut_at_any_byte_it_runs_at_most_once(shop: Shop, cut: str) -> None:
    """The connection of the command is cut at some byte: in the handshakes, at the upgrade, in the output."""
    for number, at in enumerate((0, 300, 1000, 1900, 2300, 4000)):
        wanted = shop.wanted(f"{shop.count}; echo ended", key=f"{cut} {at}")
        before = shop.runs()
        with FaultProxy.before(shop.cluster.server) as proxy:
            provider = shop.provider(shop.cluster.through(proxy.port))
            change, places = planned(provider, wanted), provider.places
            provider.places = _Striking(places, proxy, Faults(**{cut: at}))  # type: ignore[arg-type]
            result = ended(apply(provider, change))
        ran = shop.runs() - before
        _, preview = look(shop.provider(), wanted)
        settled = {ChangeResult.DONE: preview.effect is PreviewEffect.NONE, ChangeResult.UNKNOWN: bool(preview.blocked)}
        assert settled[result] and ran <= 1 and (result is ChangeResult.UNKNOWN or ran == 1), (
            cut,
            at,
            number,
            result,
            ran,
        )


@dataclass
class _Striking:
    """Pods whose first command goes over a connection with faults."""

    inner: ContainerCommandRunner
    proxy: FaultProxy
    faults: Faults
    simulated: bool = False

    def find(self, wanted: PodExecCommand) -> PodToRunCommandIn:
        return self.inner.find(wanted)

    def run(self, wanted: PodExecCommand, pod: str) -> EndedCommand:
        if self.proxy.faults.count is None:
            self.proxy.faults = replace(self.faults, count=self.proxy.traffic.connections + 1)
        return self.inner.run(wanted, pod)


def test_a_target_that_is_not_there_or_not_ready_leaves_no_mark(shop: Shop) -> None:
    for spec, why in (
        ({"target": f"Deployment.apps/{shop.namespace}/none"}, "does not exist"),
        ({"target": "Deployment.apps/no-such-namespace/web"}, "does not exist"),
        ({"container": "other"}, "has no container other"),
        ({"command": ["no-such-program"]}, "could not be started"),
    ):
        wanted = shop.wanted("true", **spec)
        found = failure(apply(shop.provider(), planned(shop.provider(), wanted)))
        assert found.result is ChangeResult.FAILED and why in found.message
        assert isinstance(look(shop.provider(), wanted)[0], AbsentObject)


def test_a_command_that_was_not_started_leaves_the_failure_before_it_on_record(shop: Shop) -> None:
    wanted = shop.wanted(f"{shop.count}; exit 4")
    apply(shop.provider(), planned(shop.provider(), wanted))
    spec = {**wanted.manifest["spec"], "command": ["no-such-program"]}
    change = planned(shop.provider(), replace(wanted, manifest={**wanted.manifest, "spec": spec}))
    assert "could not be started" in failure(apply(shop.provider(), change)).message
    data = shop.mark_of(wanted)["data"]
    assert (data["exitCode"], data["attempt"]) == ("4", "1") and shop.runs() == 1


def test_a_command_that_takes_too_long_is_unknown(shop: Shop) -> None:
    wanted = shop.wanted(f"{shop.count}; exec sleep 10", timeout="2s")
    lost = failure(apply(shop.provider(), planned(shop.provider(), wanted)))
    assert lost.result is ChangeResult.UNKNOWN and "did not end in time" in lost.message and shop.runs() == 1
    assert look(shop.provider(), wanted)[1].blocked


def test_an_end_that_cannot_be_put_on_record_at_once_is_not_lost(shop: Shop) -> None:
    """The API server is out of reach after the command, first for a while, then for good."""
    for healed, expected in ((True, ChangeResult.DONE), (False, ChangeResult.UNKNOWN)):
        wanted = shop.wanted(f"{shop.count}; exit 0")
        before = shop.runs()
        with FaultProxy.before(shop.cluster.server) as proxy:
            provider = shop.provider(shop.cluster.through(proxy.port))
            change = planned(provider, wanted)
            provider.places = _Cutting(provider.places, proxy)
            slept: list[float] = []

            def sleep(
                seconds: float, proxy: FaultProxy = proxy, slept: list[float] = slept, healed: bool = healed
            ) -> None:
                slept.append(seconds)
                if healed and len(slept) == 3:
                    proxy.faults = Faults()

            provider.sleep = sleep
            outcome = apply(provider, change)
        assert ended(outcome) is expected and shop.runs() == before + 1
        _, preview = look(shop.provider(), wanted)
        assert preview.effect is PreviewEffect.NONE if healed else preview.blocked
        if isinstance(outcome, ApplyFailure):
            assert "ended with exit code 0" in outcome.message


_DOWN = Faults(cut_after=0)  # connections end before the first byte


@dataclass
class _Cutting:
    """Pods after whose command nobody can be reached."""

    inner: ContainerCommandRunner
    proxy: FaultProxy
    simulated: bool = False

    def find(self, wanted: PodExecCommand) -> PodToRunCommandIn:
        return self.inner.find(wanted)

    def run(self, wanted: PodExecCommand, pod: str) -> EndedCommand:
        done = self.inner.run(wanted, pod)
        self.proxy.faults = _DOWN
        self.proxy.drop_connections()
        return done


def test_a_damaged_mark_is_unreadable_and_a_reader_without_rights_too(shop: Shop) -> None:
    wanted = shop.wanted("true")
    apply(shop.provider(), planned(shop.provider(), wanted))
    name = shop.mark_of(wanted)["metadata"]["name"]
    path = f"/api/v1/namespaces/{shop.namespace}/configmaps/{name}"
    patch = {"data": {"attempt": "many"}}
    shop.cluster.api().request("PATCH", path, patch, content_type="application/merge-patch+json")
    seen = shop.provider().read([wanted], (), ()).observations[wanted.address]
    assert isinstance(seen, UnreadableObject) and "damaged" in seen.reason and name in seen.reason
    live = LiveCluster(resolve_connection_settings(str(shop.cluster.kubeconfig_of("alice")), environ={}))
    seen = (
        PodExecProvider(live, PodCommandRunner(live), KeyedFingerprinter(bytes(32)))
        .read([wanted], (), ())
        .observations[wanted.address]
    )
    assert isinstance(seen, UnreadableObject) and "cannot get" in seen.reason
