"""Every edge of spec 04 ("Identity, order, options"), each with its rule and the field that says it."""

from __future__ import annotations

import pytest

from planner.errors import GraphError
from planner.graph import build_graph, missing_references
from tests.unit.graph.stacks import edge_lines, resources

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
    "tekton": (
        """
        {apiVersion: tekton.dev/v1beta1, kind: StepAction, metadata: {name: clone, namespace: n}, spec: {image: i}}
        ---
        apiVersion: tekton.dev/v1
        kind: Task
        metadata: {name: build, namespace: n}
        spec:
          steps:
          - {name: a, ref: {name: clone}}
          - {name: b, image: i, envFrom: [{secretRef: {name: s}}]}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: n}}
        ---
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: runner, namespace: n}}
        ---
        {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: work, namespace: n}}
        ---
        apiVersion: tekton.dev/v1
        kind: Pipeline
        metadata: {name: p, namespace: n}
        spec:
          tasks:
          - {name: one, taskRef: {name: build}}
          - {name: custom, taskRef: {apiVersion: example.org/v1, kind: Task, name: build}}
          - {name: two, taskSpec: {steps: [{name: x, image: i, envFrom: [{secretRef: {name: s}}]}]}}
          finally:
          - name: last
            taskRef:
              resolver: cluster
              params: [{name: kind, value: task}, {name: name, value: build}, {name: namespace, value: n}]
        ---
        apiVersion: tekton.dev/v1
        kind: PipelineRun
        metadata: {name: run, namespace: n}
        spec:
          pipelineRef: {name: p}
          taskRunTemplate: {serviceAccountName: runner}
          workspaces:
          - {name: w, persistentVolumeClaim: {claimName: work}}
          - {name: c, secret: {secretName: s}}
        """,
        [
            "PersistentVolumeClaim/n/work -> PipelineRun.tekton.dev/n/run  volume  "
            "spec.workspaces[name=w].persistentVolumeClaim.claimName",
            "Pipeline.tekton.dev/n/p -> PipelineRun.tekton.dev/n/run  pipeline-ref  spec.pipelineRef.name",
            "Secret/n/s -> Pipeline.tekton.dev/n/p  env  "
            "spec.tasks[name=two].taskSpec.steps[name=x].envFrom[0].secretRef.name",
            "Secret/n/s -> PipelineRun.tekton.dev/n/run  volume  spec.workspaces[name=c].secret.secretName",
            "Secret/n/s -> Task.tekton.dev/n/build  env  spec.steps[name=b].envFrom[0].secretRef.name",
            "ServiceAccount/n/runner -> PipelineRun.tekton.dev/n/run  service-account  "
            "spec.taskRunTemplate.serviceAccountName",
            "StepAction.tekton.dev/n/clone -> Task.tekton.dev/n/build  step-ref  spec.steps[0].ref.name",
            "Task.tekton.dev/n/build -> Pipeline.tekton.dev/n/p  task-ref  "
            "spec.finally[name=last].taskRef.params[name=name].value",
            "Task.tekton.dev/n/build -> Pipeline.tekton.dev/n/p  task-ref  spec.tasks[name=one].taskRef.name",
        ],
    ),
    "argo cd, and kinds of our own that act on others": (
        """
        {apiVersion: argoproj.io/v1alpha1, kind: AppProject, metadata: {name: team, namespace: argocd}}
        ---
        apiVersion: argoproj.io/v1alpha1
        kind: Application
        metadata: {name: a, namespace: argocd}
        spec: {project: team}
        ---
        {apiVersion: hwplan.dev/v1, kind: ArgoSync, metadata: {name: s}, spec: {application: a}}
        ---
        {apiVersion: hwplan.dev/v1, kind: ArgoSync, metadata: {name: t}, spec: {application: argocd/a}}
        ---
        {apiVersion: hwplan.dev/v1, kind: ArgoSync, metadata: {name: live}, spec: {application: not-declared}}
        ---
        {apiVersion: hwplan.dev/v1, kind: Restart, metadata: {name: r}, spec: {target: Deployment.apps/n/d}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: n}}
        """,
        [
            "AppProject.argoproj.io/argocd/team -> Application.argoproj.io/argocd/a  project  spec.project",
            "Application.argoproj.io/argocd/a -> ArgoSync/s  target  spec.application",
            "Application.argoproj.io/argocd/a -> ArgoSync/t  target  spec.application",
            "Deployment.apps/n/d -> Restart/r  target  spec.target",
        ],
    ),
    "what a restart follows comes before the workload, which then starts with it": (
        """
        apiVersion: hwplan.dev/v1
        kind: Restart
        metadata: {name: r}
        spec: {target: Deployment.apps/n/d, on: [Secret/n/s, ConfigMap/n/not-declared, Deployment.apps/n/d]}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: n}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: n}}
        """,
        [
            "Deployment.apps/n/d -> Restart/r  restart-on  spec.on[2]",
            "Deployment.apps/n/d -> Restart/r  target  spec.target",
            "Secret/n/s -> Deployment.apps/n/d  restart-on  Restart/r spec.on[0]",
            "Secret/n/s -> Restart/r  restart-on  spec.on[0]",
        ],
    ),
    "a clean-up comes after the namespace and the kind of what it looks at": (
        """
        apiVersion: hwplan.dev/v1
        kind: Retention
        metadata: {name: r}
        spec: {selector: {apiVersion: tekton.dev/v1, kind: PipelineRun, namespace: ci}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ci}}
        ---
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: pipelineruns.tekton.dev}
        spec: {group: tekton.dev, names: {kind: PipelineRun}}
        """,
        [
            "CustomResourceDefinition.apiextensions.k8s.io/pipelineruns.tekton.dev -> Retention/r  crd  "
            "spec.selector.kind",
            "Namespace/ci -> Retention/r  namespace  spec.selector.namespace",
        ],
    ),
    "an object behind a REST API comes after the Secrets that it sends": (
        """
        apiVersion: hwplan.dev/v1
        kind: RestObject
        metadata: {name: o}
        spec:
          auth: {secret: n/token}
          secrets: {credentials.key: {secret: n/made, key: k}, other: {secret: n/not-declared, key: k}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: token, namespace: n}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: made, namespace: elsewhere}}
        ---
        apiVersion: hwplan.dev/v1
        kind: SecretSource
        metadata: {name: s}
        spec: {target: {namespace: n, name: made}}
        """,
        [
            "Secret/n/token -> RestObject/o  credentials  spec.auth.secret",
            "SecretSource/s -> RestObject/o  secret-field  spec.secrets[credentials.key].secret",
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


@pytest.mark.parametrize("name", CASES)
def test_edges(name: str) -> None:
    text, expected = CASES[name]
    assert edge_lines(build_graph(resources(text)).edges) == sorted(expected)


@pytest.mark.parametrize("name", CASES)
def test_edges_do_not_depend_on_the_order_of_the_input(name: str) -> None:
    stack = resources(CASES[name][0])
    forth, back = build_graph(stack), build_graph(stack[::-1])
    assert forth.order() == back.order()
    assert forth.edges == back.edges


def test_rules_never_cross_places() -> None:
    text = CASES["a namespace stands before what is in it"][0]
    graph = build_graph(resources(text, place="D601/v02") + resources(text, place="D601/v03"))
    assert len(graph.edges) == 2
    assert all(edge.before.place == edge.after.place for edge in graph.edges)


def test_addresses_written_by_the_author_mean_his_own_place() -> None:
    text = CASES["what the author wrote for hwplan"][0]
    assert len(build_graph(resources(text, place="D601/v03")).edges) == 4


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
    problems = missing_references(resources(REFERENCES))
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
