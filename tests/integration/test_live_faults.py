"""The live cluster behind cut connections, lost answers and busy or absent servers: what is sent again, what not."""

from __future__ import annotations

import time

import pytest

from planner.errors import OutcomeUnknown
from providers.cluster_interface import KubernetesListScope
from providers.kubernetes import errors
from providers.kubernetes.client.api_exchange import ApiExchangeLimits, ApiRequest
from providers.kubernetes.client.kubeconfig import ApiServerConnectionSettings, Credentials
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.client.transport import RetryTimeLimits, Transport
from tests.integration.live_cluster_world import CONFIG_MAP, bound, config_map, connection_with, live, objects_in
from tests.testbed.cluster import RunningCluster, TestCluster
from tests.testbed.http_proxy import HttpFaultProxy, Rule
from tests.testbed.proxy import FaultProxy, Faults

SHORT = RetryTimeLimits(total=10.0, busy=3.0, unreachable=0.3)


def test_a_list_that_breaks_in_the_middle_is_read_again(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    for number in range(20):
        live(api_server).apply(CONFIG_MAP, config_map(api_namespace, f"c-{number:02}", k="v" * 1000))
    found, place = live(api_server.through(http_faults.port)), KubernetesListScope(CONFIG_MAP, api_namespace)
    for action in ("cut-answer", "lose-answer", "lose-request"):
        http_faults.rules = [Rule(action, times=2)]
        assert len(objects_in(found.list([place])[place])) == 20
    assert found.stats.retries >= 3


@pytest.mark.parametrize("cut", [0, 1, 100, 3000, 5000])
def test_a_connection_that_is_cut_at_any_byte(
    fault_proxy: FaultProxy, api_server: TestCluster, api_namespace: str, cut: int
) -> None:
    live(api_server).apply(CONFIG_MAP, config_map(api_namespace, "a", k="v" * 4000))
    for faults in (Faults(cut_after=cut, count=1), Faults(reset_after=cut, count=1)):
        with FaultProxy.before(api_server.server, faults) as proxy:
            found = live(api_server.through(proxy.port)).get(CONFIG_MAP, api_namespace, "a")
        assert found is not None and found["data"] == {"k": "v" * 4000}


def test_an_apply_whose_answer_is_lost_is_sent_again(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    found = live(api_server.through(http_faults.port))
    http_faults.rules = [Rule("lose-answer", times=2)]
    assert found.apply(CONFIG_MAP, config_map(api_namespace, "a", k="1"))["data"] == {"k": "1"}


def test_a_bound_apply_whose_answer_is_lost_is_unknown(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    found = live(api_server.through(http_faults.port))
    http_faults.rules = [Rule("lose-answer")]
    with pytest.raises(OutcomeUnknown):  # created by the first, refused to the second
        found.apply(CONFIG_MAP, bound(config_map(api_namespace, "a", k="1"), resourceVersion="1"))
    assert found.get(CONFIG_MAP, api_namespace, "a") is not None


def test_an_apply_whose_request_is_lost_is_not_unknown(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    found = live(api_server.through(http_faults.port))
    http_faults.rules = [Rule("lose-request")]
    assert found.apply(CONFIG_MAP, bound(config_map(api_namespace, "a", k="1"), resourceVersion="1"))


def test_a_write_that_may_not_be_repeated_is_sent_once(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    found = live(api_server.through(http_faults.port))
    found.apply(CONFIG_MAP, config_map(api_namespace, "a", k="1"))
    http_faults.rules = [Rule("lose-answer", matches=lambda method, _path: method == "PATCH")]
    count = len(http_faults.requests)
    with pytest.raises(OutcomeUnknown) as caught:
        found.patch(CONFIG_MAP, api_namespace, "a", [{"op": "add", "path": "/data/n", "value": "1"}])
    assert len(http_faults.requests) == count + 1
    assert caught.value.where == f"ConfigMap/{api_namespace}/a" and caught.value.remedy


def test_a_delete_whose_answer_is_lost_ends_well(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    found = live(api_server.through(http_faults.port))
    made = found.apply(CONFIG_MAP, config_map(api_namespace, "a"))["metadata"]
    http_faults.rules = [Rule("lose-answer")]
    found.delete(CONFIG_MAP, api_namespace, "a", uid=made["uid"], resource_version=made["resourceVersion"])
    assert found.get(CONFIG_MAP, api_namespace, "a") is None


def test_answers_that_stay_lost_are_unknown_for_writes_and_unreachable_for_reads(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    found = live(api_server.through(http_faults.port), patience=SHORT)
    http_faults.rules = [Rule("lose-answer", times=99)]
    with pytest.raises(OutcomeUnknown):
        found.apply(CONFIG_MAP, config_map(api_namespace, "a"))
    with pytest.raises(errors.Unreachable):
        found.apply(CONFIG_MAP, config_map(api_namespace, "a"), dry_run=True)
    with pytest.raises(errors.Unreachable):
        found.get(CONFIG_MAP, api_namespace, "a")


@pytest.mark.parametrize("code", [429, 503])
def test_a_busy_server_is_asked_again_when_it_says(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str, code: int
) -> None:
    found = live(api_server.through(http_faults.port))
    http_faults.rules = [Rule("status", times=1, code=code, retry_after=1), Rule("status", times=2, code=code)]
    started = time.monotonic()
    assert found.apply(CONFIG_MAP, config_map(api_namespace, "a"))
    assert time.monotonic() - started >= 1.0
    assert found.stats.retries == 3


def test_a_server_that_stays_busy_is_given_up(
    http_faults: HttpFaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    found = live(api_server.through(http_faults.port), patience=SHORT)
    http_faults.rules = [Rule("status", times=99, code=429)]
    with pytest.raises(errors.ServerBusy):
        found.apply(CONFIG_MAP, config_map(api_namespace, "a"))
    assert len(http_faults.requests) <= 10
    http_faults.rules = [Rule("status", times=99, code=429, retry_after=3600)]
    started = time.monotonic()
    with pytest.raises(errors.ServerBusy) as caught:
        found.get(CONFIG_MAP, api_namespace, "a")
    assert time.monotonic() - started < 1 and caught.value.retry_after == 3600
    http_faults.rules = [Rule("status", times=99, code=504, reason="Timeout")]
    with pytest.raises(OutcomeUnknown):  # a time-out of the server leaves open whether it wrote
        found.apply(CONFIG_MAP, config_map(api_namespace, "a"))


def test_connections_are_kept_and_stale_ones_are_noticed(
    fault_proxy: FaultProxy, api_server: TestCluster, api_namespace: str
) -> None:
    found = live(api_server.through(fault_proxy.port))
    for number in range(10):
        found.apply(CONFIG_MAP, config_map(api_namespace, f"c-{number}"))
    assert (found.stats.connections, fault_proxy.traffic.connections) == (1, 1)
    for _ in range(5):
        fault_proxy.drop_connections()
        test = [{"op": "test", "path": "/metadata/name", "value": "c-0"}]
        assert found.patch(CONFIG_MAP, api_namespace, "c-0", test)  # a write that is never repeated
    assert found.stats.connections == 6


def test_a_server_that_is_gone_is_unreachable_quickly_and_is_found_again(own_api_server: RunningCluster) -> None:
    found = live(own_api_server.value)
    assert found.identity().uid
    own_api_server.stop_api_server(crash=True)
    started = time.monotonic()
    with pytest.raises(errors.Unreachable) as caught:
        found.get(CONFIG_MAP, "default", "a")
    assert time.monotonic() - started < 3
    assert caught.value.where == found.identity().server and "Connection refused" in caught.value.message
    place = KubernetesListScope(CONFIG_MAP, "default")
    assert isinstance(found.list([place])[place], errors.Unreachable)
    own_api_server.start_api_server()
    assert isinstance(found.list([place])[place], tuple)


def test_no_traceback_and_no_hang_at_a_black_hole(fault_proxy: FaultProxy, api_server: TestCluster) -> None:
    fault_proxy.faults = Faults(black_hole=True)
    limits = ApiExchangeLimits(connect=0.5, read=1.0)
    found = live(api_server.through(fault_proxy.port), limits=limits, patience=SHORT)
    started = time.monotonic()
    with pytest.raises(errors.Unreachable):
        found.identity()
    assert time.monotonic() - started < 5


def test_names_and_certificates_that_are_wrong(api_server: TestCluster) -> None:
    token = Credentials(f"Bearer {api_server.token}")
    with pytest.raises(errors.TlsFailed, match="certificate is not trusted"):
        LiveCluster(ApiServerConnectionSettings(api_server.server, b"", token)).identity()
    with pytest.raises(errors.TlsFailed, match="certificate is not trusted"):
        LiveCluster(connection_with(api_server, token, tls_server_name="elsewhere.example")).identity()
    assert LiveCluster(ApiServerConnectionSettings(api_server.server, b"", token, insecure=True)).identity().uid
    assert LiveCluster(connection_with(api_server, token, tls_server_name="kubernetes.default.svc")).identity().uid
    unknown = ApiServerConnectionSettings("https://no-such-host.invalid:6443", credentials=token)
    with pytest.raises(errors.Unreachable, match="name is not known"):
        Transport(unknown, patience=SHORT).send(ApiRequest("GET", "/api"))
