"""Every edge of spec 04 ("Identity, order, options"), each with its rule and the field that says it."""

from __future__ import annotations

import pytest

from planner.errors import GraphError
from planner.graph import build_graph, undeclared_reference_problems
from tests.unit.graph.stacks import resources

CASES = {
    "a namespace stands before what is in it": (
        """
        {apiVersion: v1, kind: Namespace, metadata: {name: n}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: n}}
        """,
        ["Namespace/n -> ConfigMap/n/c  namespace  metadata.namespace"],
    ),
    "a definition stands before its custom resources": (
        """
        {apiVersion: tekton.dev/v1, kind: Task, metadata: {name: t, namespace: n}}
        ---
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: tasks.tekton.dev}
        spec: {group: tekton.dev, names: {kind: Task}}
        """,
        ["CustomResourceDefinition.apiextensions.k8s.io/tasks.tekton.dev -> Task.tekton.dev/n/t  crd  kind"],
    ),
    "roles and accounts stand before bindings, bindings before those who run as the account": (
        """
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: sa, namespace: n}, imagePullSecrets: [{name: pull}]}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: pull, namespace: n}}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: token, namespace: n, annotations: {kubernetes.io/service-account.name: sa}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r, namespace: n}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: rb, namespace: n}
        roleRef: {kind: Role, name: r}
        subjects: [{kind: User, name: u}, {kind: ServiceAccount, name: sa}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRoleBinding
        metadata: {name: crb}
        roleRef: {kind: ClusterRole, name: r}
        subjects: [{kind: ServiceAccount, name: sa, namespace: n}]
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: d, namespace: n}
        spec: {template: {spec: {serviceAccountName: sa, containers: [{name: c}]}}}
        """,
        [
            "ClusterRole.rbac.authorization.k8s.io/r -> ClusterRoleBinding.rbac.authorization.k8s.io/crb"
            "  role  roleRef.name",
            "ClusterRoleBinding.rbac.authorization.k8s.io/crb -> Deployment.apps/n/d"
            "  binding  spec.template.spec.serviceAccountName",
            "Role.rbac.authorization.k8s.io/n/r -> RoleBinding.rbac.authorization.k8s.io/n/rb  role  roleRef.name",
            "RoleBinding.rbac.authorization.k8s.io/n/rb -> Deployment.apps/n/d"
            "  binding  spec.template.spec.serviceAccountName",
            "Secret/n/pull -> ServiceAccount/n/sa  pull-secret  imagePullSecrets[0].name",
            "ServiceAccount/n/sa -> ClusterRoleBinding.rbac.authorization.k8s.io/crb  subject  subjects[0].name",
            "ServiceAccount/n/sa -> Deployment.apps/n/d  service-account  spec.template.spec.serviceAccountName",
            "ServiceAccount/n/sa -> RoleBinding.rbac.authorization.k8s.io/n/rb  subject  subjects[1].name",
            "ServiceAccount/n/sa -> Secret/n/token  token  metadata.annotations[kubernetes.io/service-account.name]",
        ],
    ),
    "what a pod names stands before the workload": (
        """
        {apiVersion: v1, kind: ConfigMap, metadata: {name: cm, namespace: n}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: cm, namespace: elsewhere}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: n}}
        ---
        apiVersion: hwplan.dev/v1
        kind: SecretSource
        metadata: {name: made}
        spec: {target: {namespace: n, name: made}}
        ---
        {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: p, namespace: n}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: head, namespace: n}}
        ---
        {apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}}
        ---
        apiVersion: hwplan.dev/v1
        kind: RegistryImage
        metadata: {name: api}
        spec: {target: "reg:5000/api:v1"}
        ---
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: {name: db, namespace: n}
        spec:
          serviceName: head
          template:
            spec:
              priorityClassName: high
              imagePullSecrets: [{name: s}]
              initContainers: [{name: i, image: "reg:5000/api:v1@sha256:0"}]
              containers:
              - name: c
                image: "reg:5000/api:v1"
                env:
                - {name: A, valueFrom: {configMapKeyRef: {name: cm, key: k}}}
                - {name: B, valueFrom: {secretKeyRef: {name: made, key: k}}}
                envFrom: [{configMapRef: {name: cm}}, {secretRef: {name: s, optional: true}}]
              volumes:
              - {name: v1, configMap: {name: cm}}
              - {name: v2, secret: {secretName: s}}
              - {name: v3, persistentVolumeClaim: {claimName: p}}
              - {name: v4, projected: {sources: [{configMap: {name: cm}}, {secret: {name: s}}]}}
              - {name: v5, csi: {nodePublishSecretRef: {name: s}}}
              - {name: v6, configMap: {name: not-declared}}
        ---
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: cron, namespace: n}
        spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c, envFrom: [{secretRef: {name: s}}]}]}}}}}
        """,
        [
            "ConfigMap/n/cm -> StatefulSet.apps/n/db  env  "
            "spec.template.spec.containers[name=c].env[name=A].valueFrom.configMapKeyRef.name",
            "ConfigMap/n/cm -> StatefulSet.apps/n/db  env  "
            "spec.template.spec.containers[name=c].envFrom[0].configMapRef.name",
            "ConfigMap/n/cm -> StatefulSet.apps/n/db  volume  spec.template.spec.volumes[name=v1].configMap.name",
            "ConfigMap/n/cm -> StatefulSet.apps/n/db  volume  "
            "spec.template.spec.volumes[name=v4].projected.sources[0].configMap.name",
            "PersistentVolumeClaim/n/p -> StatefulSet.apps/n/db  volume  "
            "spec.template.spec.volumes[name=v3].persistentVolumeClaim.claimName",
            "PriorityClass.scheduling.k8s.io/high -> StatefulSet.apps/n/db  class  "
            "spec.template.spec.priorityClassName",
            "RegistryImage/api -> StatefulSet.apps/n/db  image  spec.template.spec.containers[name=c].image",
            "RegistryImage/api -> StatefulSet.apps/n/db  image  spec.template.spec.initContainers[name=i].image",
            "Secret/n/s -> CronJob.batch/n/cron  env  "
            "spec.jobTemplate.spec.template.spec.containers[name=c].envFrom[0].secretRef.name",
            "Secret/n/s -> StatefulSet.apps/n/db  env  spec.template.spec.containers[name=c].envFrom[1].secretRef.name",
            "Secret/n/s -> StatefulSet.apps/n/db  pull-secret  spec.template.spec.imagePullSecrets[0].name",
            "Secret/n/s -> StatefulSet.apps/n/db  volume  spec.template.spec.volumes[name=v2].secret.secretName",
            "Secret/n/s -> StatefulSet.apps/n/db  volume  "
            "spec.template.spec.volumes[name=v4].projected.sources[1].secret.name",
            "Secret/n/s -> StatefulSet.apps/n/db  volume  "
            "spec.template.spec.volumes[name=v5].csi.nodePublishSecretRef.name",
            "SecretSource/made -> StatefulSet.apps/n/db  env  "
            "spec.template.spec.containers[name=c].env[name=B].valueFrom.secretKeyRef.name",
            "Service/n/head -> StatefulSet.apps/n/db  service  spec.serviceName",
        ],
    ),
    "storage": (
        """
        {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast}}
        ---
        {apiVersion: v1, kind: PersistentVolume, metadata: {name: pv}, spec: {storageClassName: fast}}
        ---
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: {name: p, namespace: n}
        spec: {storageClassName: fast, volumeName: pv}
        ---
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: {name: db, namespace: n}
        spec: {volumeClaimTemplates: [{metadata: {name: v}, spec: {storageClassName: fast}}]}
        """,
        [
            "PersistentVolume/pv -> PersistentVolumeClaim/n/p  volume  spec.volumeName",
            "StorageClass.storage.k8s.io/fast -> PersistentVolume/pv  storage-class  spec.storageClassName",
            "StorageClass.storage.k8s.io/fast -> PersistentVolumeClaim/n/p  storage-class  spec.storageClassName",
            "StorageClass.storage.k8s.io/fast -> StatefulSet.apps/n/db  storage-class  "
            "spec.volumeClaimTemplates[0].spec.storageClassName",
        ],
    ),
    "a webhook configuration comes after the service and the workload that answer it": (
        """
        apiVersion: admissionregistration.k8s.io/v1
        kind: ValidatingWebhookConfiguration
        metadata: {name: v}
        webhooks: [{name: w.example.org, clientConfig: {service: {name: s, namespace: n}}}]
        ---
        {apiVersion: v1, kind: Service, metadata: {name: s, namespace: n}, spec: {selector: {app: hook}}}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: d, namespace: n}
        spec: {template: {metadata: {labels: {app: hook, x: y}}, spec: {containers: [{name: c}]}}}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: other, namespace: n}
        spec: {template: {metadata: {labels: {app: other}}, spec: {containers: [{name: c}]}}}
        ---
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: cron, namespace: n}
        spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c}]}}}}}
        """,
        [
            "Deployment.apps/n/d -> ValidatingWebhookConfiguration.admissionregistration.k8s.io/v"
            "  webhook  webhooks[name=w.example.org].clientConfig.service.name",
            "Service/n/s -> ValidatingWebhookConfiguration.admissionregistration.k8s.io/v"
            "  webhook  webhooks[name=w.example.org].clientConfig.service.name",
        ],
    ),
    "what the author wrote for hwplan": (
        """
        {apiVersion: hwplan.dev/v1, kind: GitHead, metadata: {name: source}}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: a, namespace: n, annotations: {hwplan.dev/depends-on: "ConfigMap/n/b, GitHead/source"}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: n}}
        ---
        apiVersion: tekton.dev/v1
        kind: PipelineRun
        metadata: {name: run, namespace: n}
        spec:
          params:
          - {name: rev, value: "REF GitHead/source#commit"}
          - {name: id, value: "SUB ci-${GitHead/source#short}"}
        """,
        [
            "ConfigMap/n/b -> ConfigMap/n/a  depends-on  metadata.annotations[hwplan.dev/depends-on]",
            "GitHead/source -> ConfigMap/n/a  depends-on  metadata.annotations[hwplan.dev/depends-on]",
            "GitHead/source -> PipelineRun.tekton.dev/n/run  ref  spec.params[0].value",
            "GitHead/source -> PipelineRun.tekton.dev/n/run  ref  spec.params[1].value",
        ],
    ),
}


def test_rules_never_cross_places() -> None:
    text = CASES["a namespace stands before what is in it"][0]
    graph = build_graph(resources(text, node_lane="D601/v02") + resources(text, node_lane="D601/v03"))
    assert len(graph.edges) == 2
    assert all(edge.before.node_lane == edge.after.node_lane for edge in graph.edges)


def test_addresses_written_by_the_author_mean_his_own_place() -> None:
    text = CASES["what the author wrote for hwplan"][0]
    assert len(build_graph(resources(text, node_lane="D601/v03")).edges) == 4


def test_a_service_without_a_selector_has_no_workload_behind_it() -> None:
    text = CASES["a webhook configuration comes after the service and the workload that answer it"][0]
    graph = build_graph(resources(text.replace("selector: {app: hook}", "selector: {}")))
    assert [edge.before.kind for edge in graph.edges] == ["Service"]


REFERENCES = """
{apiVersion: hwplan.dev/v1, kind: GitHead, metadata: {name: source}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: n}, data: {x: REF GitHead/sauce#commit}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b, namespace: n, annotations: {hwplan.dev/depends-on: Job.batch/n/x}}
"""


def test_a_reference_to_nothing_names_the_closest_address() -> None:
    with pytest.raises(GraphError) as caught:
        build_graph(resources(REFERENCES))
    assert caught.value.message == "ConfigMap/n/a: data.x names GitHead/sauce, which is not declared (and 1 more)"
    assert caught.value.remedy == "did you mean GitHead/source?"
    assert caught.value.where == "stack.yaml:2"


def test_all_references_to_nothing_are_told_at_once() -> None:
    problems = undeclared_reference_problems(resources(REFERENCES))
    assert [(str(problem.source), problem.suggestion) for problem in problems] == [
        ("stack.yaml:2", "did you mean GitHead/source?"),
        ("stack.yaml:3", "declare it, or correct the name"),
    ]


def test_one_address_declared_twice_is_refused() -> None:
    stack = resources("{apiVersion: v1, kind: Namespace, metadata: {name: n}}\n---\n" * 2)
    with pytest.raises(GraphError, match=r"Namespace/n is declared twice, first in stack\.yaml:1"):
        build_graph(stack)


def test_misshapen_documents_draw_no_edges_and_raise_nothing() -> None:
    text = "\n---\n".join(
        f"{{apiVersion: {version}, kind: {kind}, metadata: {{name: x{at}, namespace: n}}, {body}}}"
        for at, body in enumerate(
            ("spec: 1", "spec: []", "spec: {template: 3}", "spec: {template: {spec: {containers: [1]}}}")
        )
        for version, kind in (
            ("apps/v1", "Deployment"),
            ("tekton.dev/v1", "Task"),
            ("v1", "Pod"),
            ("hwplan.dev/v1", "Restart"),
        )
    )
    assert build_graph(resources(text)).edges == ()
