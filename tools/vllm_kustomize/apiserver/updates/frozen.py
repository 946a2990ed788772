"""Fields that the API server never lets change, and the way out for each kind.

From the ValidateUpdate functions of pkg/apis/*/validation, Kubernetes 1.34 to 1.37.
"""

from __future__ import annotations

from vllm_kustomize.model import FieldPath

RECREATE = (
    "Delete the object and apply it anew, or give it a new name. Argo CD does the former with the annotation "
    "argocd.argoproj.io/sync-options: Force=true,Replace=true, Flux with "
    "kustomize.toolkit.fluxcd.io/force: enabled."
)
ORPHAN = (
    "Keep the pods running with `kubectl delete --cascade=orphan`, then apply anew; or use a new name. "
    "Argo CD replaces the object with argocd.argoproj.io/sync-options: Force=true,Replace=true, Flux with "
    "kustomize.toolkit.fluxcd.io/force: enabled, and both restart the pods."
)
NEW_NAME = (
    "Use a new name, and change what refers to it: the old object may be in use. In Kustomize, a "
    "configMapGenerator or secretGenerator does both."
)
NEW_CLAIM = (
    "Make a new claim under a new name and copy the data; deleting this one deletes its volume where the "
    "storage class says so."
)
RERUN = (
    "Delete the Job, which ends its pods, and apply it anew, or use a new name; with ttlSecondsAfterFinished "
    "the cluster deletes finished Jobs. Argo CD replaces it with argocd.argoproj.io/sync-options: "
    "Force=true,Replace=true, Flux with kustomize.toolkit.fluxcd.io/force: enabled."
)

SELECTOR: FieldPath = ("spec", "selector")

FROZEN: dict[tuple[str, str], tuple[tuple[FieldPath, ...], str]] = {
    ("apps", "Deployment"): ((SELECTOR,), ORPHAN),
    ("apps", "ReplicaSet"): ((SELECTOR,), ORPHAN),
    ("apps", "DaemonSet"): ((SELECTOR,), ORPHAN),
    ("apps", "StatefulSet"): (
        (
            SELECTOR,
            ("spec", "volumeClaimTemplates"),
            ("spec", "serviceName"),
            ("spec", "podManagementPolicy"),
        ),
        ORPHAN + " Claims that exist keep their size; edit them themselves.",
    ),
    ("apps", "ControllerRevision"): ((("data",),), RECREATE),
    ("batch", "Job"): (
        (
            SELECTOR,
            ("spec", "completionMode"),
            ("spec", "podFailurePolicy"),
            ("spec", "backoffLimitPerIndex"),
            ("spec", "managedBy"),
            ("spec", "successPolicy"),
        ),
        RERUN,
    ),
    ("", "Secret"): ((("type",),), RECREATE),
    ("", "PersistentVolume"): ((("spec", "volumeMode"),), RECREATE),
    ("discovery.k8s.io", "EndpointSlice"): ((("addressType",),), RECREATE),
    ("networking.k8s.io", "IngressClass"): ((("spec", "controller"),), NEW_NAME),
    ("networking.k8s.io", "IPAddress"): ((("spec", "parentRef"),), RECREATE),
    ("node.k8s.io", "RuntimeClass"): ((("handler",),), NEW_NAME),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ((("roleRef",),), RECREATE),
    ("rbac.authorization.k8s.io", "RoleBinding"): ((("roleRef",),), RECREATE),
    ("resource.k8s.io", "ResourceClaim"): ((("spec",),), RECREATE),
    ("resource.k8s.io", "ResourceClaimTemplate"): ((("spec",),), RECREATE),
    ("scheduling.k8s.io", "PriorityClass"): ((("value",), ("preemptionPolicy",)), NEW_NAME),
    ("storage.k8s.io", "CSIDriver"): (
        (("spec", "attachRequired"), ("spec", "volumeLifecycleModes")),
        RECREATE,
    ),
    ("storage.k8s.io", "CSIStorageCapacity"): ((("nodeTopology",), ("storageClassName",)), RECREATE),
    ("storage.k8s.io", "StorageClass"): (
        (("provisioner",), ("parameters",), ("reclaimPolicy",), ("volumeBindingMode",)),
        NEW_NAME,
    ),
    ("storage.k8s.io", "VolumeAttributesClass"): ((("driverName",), ("parameters",)), NEW_NAME),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): (
        (("spec", "scope"), ("spec", "group"), ("spec", "names", "kind"), ("spec", "names", "plural")),
        "A definition with other names is another one: delete this one, which deletes all its objects, or "
        "serve both.",
    ),
}
"""The fields of each API group's kinds, with the way out."""
