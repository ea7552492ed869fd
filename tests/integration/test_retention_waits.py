"""Retention where objects stay, and how it reads: finalizers, lists, missing rights."""

from __future__ import annotations

from planner.ports import PreviewEffect, UnreadableObject
from providers.kubernetes.client.kubeconfig import resolve_connection_settings
from providers.kubernetes.client.live_cluster import LiveCluster
from tests.integration.retention_world import POD, RUN, VOLUME, Stage, ended
from tests.testbed import audit, crds
from tests.testbed.cluster import TestCluster


def test_what_is_held_by_a_finalizer_is_waited_for(api_server: TestCluster, api_namespace: str) -> None:
    crds.install(api_server.api(), crds.tekton_crds())
    stage = Stage(
        lambda: LiveCluster(resolve_connection_settings(str(api_server.kubeconfig), environ={})),
        api_namespace,
        api_server,
    )
    stage.put(RUN, "a", ended(RUN, 9), finalizers=["example.test/hold"])
    change = stage.planned(stage.rule(RUN, keep=0))
    stage.provider().apply(change, {})
    state = stage.provider().readiness([change])[change.address]
    assert not state.done and state.message == "1 still being deleted, such as a"
    assert stage.look(stage.rule(RUN, keep=0))[1].effect is PreviewEffect.NONE, "it is on its way"
    assert stage.provider().apply(change, {}).already
    path = f"/apis/tekton.dev/v1/namespaces/{api_namespace}/pipelineruns/a"
    api_server.api().merge(path, {"metadata": {"finalizers": None}})
    assert stage.provider().readiness([change])[change.address].ok


def test_one_list_for_each_kind_and_namespace(api_server: TestCluster, api_namespace: str) -> None:
    crds.install(api_server.api(), crds.tekton_crds())
    cluster = LiveCluster(resolve_connection_settings(str(api_server.kubeconfig), environ={}))
    stage = Stage(lambda: cluster, api_namespace, api_server)
    many = [stage.rule(kind, f"{kind}{n}".lower()) for kind in (RUN, VOLUME) for n in range(10)]
    cluster.kinds()
    since = audit.mark(api_server)
    stage.provider().read(many, (), ())
    counted = audit.count(audit.requests(api_server, since, user_agent="hwplan/"))
    assert counted == {"list pipelineruns": 1, "list persistentvolumes": 1}


def test_what_may_not_be_read_is_not_absent(api_server: TestCluster, api_namespace: str) -> None:
    user = LiveCluster(resolve_connection_settings(str(api_server.kubeconfig_of("alice")), environ={}))
    stage = Stage(lambda: user, api_namespace, api_server)
    rule = stage.rule(POD)
    seen = stage.provider().read([rule], (), ()).observations[rule.address]
    assert isinstance(seen, UnreadableObject) and "pods" in seen.reason
