"""Edges of kinds that a project brings along: Argo CD, Tekton runs and triggers, own kinds, kinds of plug-ins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.graph import build_graph
from planner.spec.kinds import builtin_model_of_kind
from planner.spec.kinds.kind_target_fields import TARGETS
from planner.spec.model_walk import model_at_field_path, yaml_field_names
from planner.values import SealedSecret
from tests.unit.graph.stacks import edge_lines, resources

CASES = {
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
    "a command in what a sync brings": (
        """
        {apiVersion: hwplan.dev/v1, kind: ArgoSync, metadata: {name: s}, spec: {application: not-declared}}
        ---
        {apiVersion: hwplan.dev/v1, kind: PodExec, metadata: {name: synced}, spec: {target: Deployment.apps/n/live}}
        ---
        {apiVersion: hwplan.dev/v1, kind: PodExec, metadata: {name: own}, spec: {target: Deployment.apps/n/d}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: n}}
        """,
        [
            "ArgoSync/s -> PodExec/synced  synced-target  spec.target",
            "Deployment.apps/n/d -> PodExec/own  target  spec.target",
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
    "a project stands before applications and their sets": (
        """
        {apiVersion: argoproj.io/v1alpha1, kind: AppProject, metadata: {name: p, namespace: argo}}
        ---
        {apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: a, namespace: argo}, spec: {project: p}}
        ---
        apiVersion: argoproj.io/v1alpha1
        kind: ApplicationSet
        metadata: {name: s, namespace: argo}
        spec: {template: {spec: {project: p}}}
        ---
        {apiVersion: example.org/v1, kind: Application, metadata: {name: other, namespace: argo}, spec: {project: p}}
        """,
        [
            "AppProject.argoproj.io/argo/p -> Application.argoproj.io/argo/a  project  spec.project",
            "AppProject.argoproj.io/argo/p -> ApplicationSet.argoproj.io/argo/s  project  spec.template.spec.project",
        ],
    ),
    "a run of our own needs its namespace, its pipeline and both definitions": (
        """
        apiVersion: hwplan.dev/v1
        kind: PipelineRun
        metadata: {name: r}
        spec: {manifest: {metadata: {namespace: ci}, spec: {pipelineRef: {name: p}}}}
        ---
        apiVersion: hwplan.dev/v1
        kind: PipelineRun
        metadata: {name: remote}
        spec: {manifest: {metadata: {namespace: ci}, spec: {pipelineRef: {resolver: git, name: p}}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: ci}}
        ---
        {apiVersion: tekton.dev/v1, kind: Pipeline, metadata: {name: p, namespace: ci}}
        """,
        [
            "Namespace/ci -> Pipeline.tekton.dev/ci/p  namespace  metadata.namespace",
            "Namespace/ci -> PipelineRun/r  namespace  spec.manifest.metadata.namespace",
            "Namespace/ci -> PipelineRun/remote  namespace  spec.manifest.metadata.namespace",
            "Pipeline.tekton.dev/ci/p -> PipelineRun/r  pipeline-ref  spec.manifest.spec.pipelineRef.name",
        ],
    ),
    "a listener comes after its templates, bindings and triggers": (
        """
        apiVersion: triggers.tekton.dev/v1beta1
        kind: EventListener
        metadata: {name: l, namespace: n}
        spec:
          serviceAccountName: sa
          triggers:
          - {triggerRef: t}
          - template: {ref: tt}
            bindings: [{ref: b}, {ref: cb, kind: ClusterTriggerBinding}]
        ---
        apiVersion: triggers.tekton.dev/v1beta1
        kind: Trigger
        metadata: {name: t, namespace: n}
        spec: {template: {ref: tt}}
        ---
        {apiVersion: triggers.tekton.dev/v1beta1, kind: TriggerTemplate, metadata: {name: tt, namespace: n}}
        ---
        {apiVersion: triggers.tekton.dev/v1beta1, kind: TriggerBinding, metadata: {name: b, namespace: n}}
        ---
        {apiVersion: triggers.tekton.dev/v1alpha1, kind: ClusterTriggerBinding, metadata: {name: cb}}
        ---
        {apiVersion: v1, kind: ServiceAccount, metadata: {name: sa, namespace: n}}
        """,
        [
            "ClusterTriggerBinding.triggers.tekton.dev/cb -> EventListener.triggers.tekton.dev/n/l  trigger  "
            "spec.triggers[1].bindings[1].ref",
            "ServiceAccount/n/sa -> EventListener.triggers.tekton.dev/n/l  service-account  spec.serviceAccountName",
            "Trigger.triggers.tekton.dev/n/t -> EventListener.triggers.tekton.dev/n/l  trigger  "
            "spec.triggers[0].triggerRef",
            "TriggerBinding.triggers.tekton.dev/n/b -> EventListener.triggers.tekton.dev/n/l  trigger  "
            "spec.triggers[1].bindings[0].ref",
            "TriggerTemplate.triggers.tekton.dev/n/tt -> EventListener.triggers.tekton.dev/n/l  trigger  "
            "spec.triggers[1].template.ref",
            "TriggerTemplate.triggers.tekton.dev/n/tt -> Trigger.triggers.tekton.dev/n/t  trigger  spec.template.ref",
        ],
    ),
    "a step names its action, an action the secret of its environment": (
        """
        {apiVersion: tekton.dev/v1, kind: Task, metadata: {name: t, namespace: n}, spec: {steps: [{ref: {name: s}}]}}
        ---
        apiVersion: tekton.dev/v1
        kind: StepAction
        metadata: {name: s, namespace: n}
        spec: {image: "a:1", env: [{name: A, valueFrom: {secretKeyRef: {name: k, key: k}}}]}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: k, namespace: n}}
        """,
        [
            "Secret/n/k -> StepAction.tekton.dev/n/s  env  spec.env[name=A].valueFrom.secretKeyRef.name",
            "StepAction.tekton.dev/n/s -> Task.tekton.dev/n/t  step-ref  spec.steps[0].ref.name",
        ],
    ),
    "a restart follows outputs and objects, but for its own target and what is not declared": (
        """
        apiVersion: hwplan.dev/v1
        kind: Restart
        metadata: {name: r}
        spec: {target: Deployment.apps/n/d, "on": [REF GitHead/h#commit, ConfigMap/n/c, Secret/n/gone, 3, nothing]}
        ---
        {apiVersion: hwplan.dev/v1, kind: GitHead, metadata: {name: h}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: n}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: n}}
        """,
        [
            "ConfigMap/n/c -> Deployment.apps/n/d  restart-on  Restart/r spec.on[1]",
            "ConfigMap/n/c -> Restart/r  restart-on  spec.on[1]",
            "Deployment.apps/n/d -> Restart/r  target  spec.target",
            "GitHead/h -> Deployment.apps/n/d  restart-on  Restart/r spec.on[0]",
            "GitHead/h -> Restart/r  ref  spec.on[0]",
        ],
    ),
    "a kind of another project with the name of ours draws nothing": (
        """
        {apiVersion: example.org/v1, kind: Restart, metadata: {name: r}, spec: {target: Deployment.apps/n/d}}
        ---
        {apiVersion: example.org/v1, kind: RestObject, metadata: {name: o}, spec: {auth: {secret: n/s}}}
        ---
        {apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: n}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: n}}
        """,
        [],
    ),
    "a webhook that no declared service answers": (
        """
        apiVersion: admissionregistration.k8s.io/v1
        kind: MutatingWebhookConfiguration
        metadata: {name: v}
        webhooks: [{clientConfig: {url: "https://hooks.test"}}, {clientConfig: {service: {name: gone, namespace: n}}}]
        """,
        [],
    ),
}


def test_a_resource_of_a_plug_in_comes_after_the_secret_whose_value_it_takes() -> None:
    note, secret = resources(
        """
        apiVersion: hwplan.dev/v1
        kind: Note
        metadata: {name: x}
        spec: {deep: [{secret: n/s}], plain: {secret: n/t}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: n}}
        """
    )
    note.manifest["spec"]["deep"][0]["value"] = SealedSecret("n/s/k", "hmac-sha256:1")
    lines = edge_lines(build_graph([note, secret]).edges)
    assert lines == ["Secret/n/s -> Note/x  secret-value  spec.deep[0].secret"]
    foreign = replace(note, api_version="example.org/v1")
    assert build_graph([foreign, secret]).edges == ()


@pytest.mark.parametrize("kind", sorted(TARGETS))
def test_the_fields_that_name_targets_are_fields_of_the_kind(kind: str) -> None:
    """The table is read without the models: a field that is renamed there must be renamed here."""
    model = builtin_model_of_kind(kind)
    assert model is not None, kind
    spec = model_at_field_path(model, ("spec",))
    targets = TARGETS[kind]
    named = [*(field.name for field in targets.fields), *([targets.selector] if targets.selector else [])]
    assert spec is not None and set(named) <= set(yaml_field_names(spec)), (kind, named)
    assert all(not field.else_after or builtin_model_of_kind(field.else_after) for field in targets.fields), kind
