"""Updates that are refused under conditions: what may change in a Pod, a Job, a claim, a Service …"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vllm_kustomize.apiserver.framework.combinators import structs
from vllm_kustomize.apiserver.updates.equality import Change, is_same
from vllm_kustomize.apiserver.updates.frozen import NEW_CLAIM, NEW_NAME, RECREATE, RERUN
from vllm_kustomize.apiserver.updates.update import Update, refused
from vllm_kustomize.kubernetes import quantity
from vllm_kustomize.kubernetes.fields import flag, get, is_set, mapping, number, sequence, text
from vllm_kustomize.model import FieldPath, Problem, Severity

POD_WAY_OUT = (
    "Delete the pod and apply it anew, or let a Deployment or Job make it: only images, tolerations that are "
    "added, and a shorter activeDeadlineSeconds may change in a pod that exists."
)
_VERSION = re.compile(r"0|[1-9][0-9]*")
_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SCHEDULING = ("nodeSelector", "tolerations", "schedulingGates")
"""What a suspended Job's pods may change about where they run, besides node affinity."""

VOLUME_SETTINGS = frozenset(
    {
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    }
)
"""The fields of a PersistentVolume's spec that are not its source."""


def metadata(update: Update) -> Iterator[Problem]:
    """What the server assigns is not the manifest's to set (ValidateObjectMetaUpdate).

    An id or version that could be the object's own is left to the server to compare.
    """
    found = mapping(update.manifest, "metadata")
    version, uid = text(found, "resourceVersion"), text(found, "uid")
    wrong = {
        "managedFields": is_set(found, "managedFields"),
        "deletionGracePeriodSeconds": bool(update.changed(("metadata", "deletionGracePeriodSeconds"))),
        "resourceVersion": bool(version) and not _VERSION.fullmatch(version),
        "uid": bool(uid) and not _UID.fullmatch(uid),
    }
    for field, is_wrong in wrong.items():
        if is_wrong:
            message = "is the server's own: no update may set it"
            way_out = "Leave it out; `kubectl get -o yaml` prints it, but it belongs to no manifest."
            yield Problem(("metadata", field), message, severity=Severity.ERROR, help=way_out)


def immutable(update: Update) -> Iterator[Problem]:
    """Immutable Secrets and ConfigMaps keep their data, and stay immutable (ValidateSecretUpdate)."""
    if not flag(update.live, "immutable"):
        return
    for field in ("immutable", "data", "binaryData"):
        yield from (
            refused(changed, NEW_NAME, "is immutable") for changed in (update.changed((field,)),) if changed
        )


def claim(update: Update) -> Iterator[Problem]:
    """A claim's spec is what it was made with, less its size and class of attributes once it is bound.

    Whether it is bound only the cluster knows: a bigger request may be fine, a smaller one never is
    (ValidatePersistentVolumeClaimUpdate).
    """
    source: FieldPath = ("spec", "dataSourceRef")
    old, new = get(update.live, source), get(update.manifest, source)
    if old is not None and text(new, "namespace"):  # it is dropped only where none was before
        yield refused((Change(source, old, new),), NEW_CLAIM)
        return
    size: FieldPath = ("spec", "resources", "requests", "storage")
    before, after = get(update.live, size), get(update.applied, size)
    for change in update.changed(("spec",)):
        if change.path == size:
            if _is_smaller(after, before):
                yield refused((change,), NEW_CLAIM, "cannot become smaller")
        elif not _is_bound_later(change):
            yield refused((change,), NEW_CLAIM)
            return


def _is_bound_later(change: Change) -> bool:
    """Whether the field may be the cluster's to set, or to change once the claim is bound."""
    field = change.path[1]
    return field == "volumeAttributesClassName" or (
        change.old is None and field in ("storageClassName", "volumeName")
    )


def _is_smaller(after: Any, before: Any) -> bool:
    new, old = quantity.of(after), quantity.of(before)
    return new is not None and old is not None and new < old


def volume(update: Update) -> Iterator[Problem]:
    """A volume stays where it is, and on its nodes (ValidatePersistentVolumeUpdate)."""
    sources = {*mapping(update.live, "spec"), *mapping(update.applied, "spec")} - VOLUME_SETTINGS
    found: tuple[Change, ...] = ()
    for field in sorted(sources):
        found += update.changed(("spec", field))
    if found:
        yield refused(found, RECREATE)
    if is_set(mapping(update.live, "spec"), "nodeAffinity"):
        yield from update.frozen(("spec", "nodeAffinity"), RECREATE)


def quota(update: Update) -> Iterator[Problem]:
    """A quota counts the same pods for ever, in whatever order (ValidateResourceQuotaUpdate)."""
    scopes: FieldPath = ("spec", "scopes")
    before, after = get(update.live, scopes), get(update.applied, scopes)
    if set(before or ()) != set(after or ()):
        yield refused(update.changed(scopes), RECREATE)


def definition(update: Update) -> Iterator[Problem]:
    """A version in which objects may be stored stays.

    As in ValidateCustomResourceDefinitionStoredVersions of k8s.io/apiextensions-apiserver.
    """
    kept = {text(version, "name") for _, version in structs(mapping(update.applied, "spec"), "versions")}
    for _, version in structs(mapping(update.live, "spec"), "versions"):
        if flag(version, "storage") and text(version, "name") not in kept:
            name = text(version, "name")
            change = Change(("spec", "versions"), name, None)
            way_out = (
                f"Keep {name} with storage: false until all objects are stored in the new version and "
                f"status.storedVersions no longer names it."
            )
            yield refused((change,), way_out, f"no longer has {name}, in which objects are stored,")


def job(update: Update) -> Iterator[Problem]:
    """A Job's template is fixed; while it is suspended, scheduling and resources may change.

    Completions follow parallelism in an indexed Job, and are fixed in others (ValidateJobSpecUpdate).
    """
    found = tuple(
        change
        for change in update.changed(("spec", "template"))
        if not (flag(mapping(update.live, "spec"), "suspend") and _may_change(change.path, update))
    )
    if found:
        yield refused(found, RERUN)
    spec = mapping(update.applied, "spec")
    completions = update.changed(("spec", "completions"))
    if not completions:
        return
    if text(spec, "completionMode", default="NonIndexed") != "Indexed":
        yield refused(completions, RERUN)
    elif is_set(spec, "completions") and number(spec, "completions") != number(spec, "parallelism"):
        yield refused(completions, RERUN, "can only change together with parallelism")


def _may_change(path: FieldPath, update: Update) -> bool:
    """Whether a field of the template may change while the Job is suspended and has not started.

    Resources may since 1.36 (feature gate MutablePodResourcesForSuspendedJobs).
    """
    below = path[2:]
    if below[:1] == ("metadata",):
        return True
    if below[0] != "spec" or len(below) < 2:
        return False
    if below[1] in SCHEDULING or below[1:3] == ("affinity", "nodeAffinity"):
        return True
    resources = below[1] in ("containers", "initContainers") and below[3:4] == ("resources",)
    return resources and update.version >= (1, 36)


def pod(update: Update) -> Iterator[Problem]:
    """A Pod is what it was made, less its images and deadline (ValidatePodUpdate)."""
    old, new = mapping(update.live, "spec"), mapping(update.applied, "spec")
    found = tuple(change for change in update.changed(("spec",)) if not _is_settable(change, old))
    if found:
        yield refused(found, POD_WAY_OUT)
    before, after = old.get("activeDeadlineSeconds"), new.get("activeDeadlineSeconds")
    if before is not None and (after is None or after > before):
        change = Change(("spec", "activeDeadlineSeconds"), before, after)
        yield refused((change,), POD_WAY_OUT, "can only become shorter")
    yield from _tolerations(old, new)
    yield from _gates(old, new)
    for change in update.changed(("metadata", "annotations")):
        if str(change.path[-1]).startswith("container.apparmor.security.beta.kubernetes.io/"):
            yield refused((change,), POD_WAY_OUT)


def _is_settable(change: Change, old: Mapping[Any, Any]) -> bool:
    below = change.path[1:]
    if not below:
        return False
    if below[0] in ("activeDeadlineSeconds", "tolerations", "schedulingGates"):
        return True
    if below[0] in ("containers", "initContainers") and below[2:] == ("image",):
        return True
    if below[0] in ("priority", "preemptionPolicy") and change.old is None:  # the priority class's to say
        return True
    if sequence(old, "schedulingGates"):
        return (below[0] == "nodeSelector" and change.old is None) or below[:2] == (
            "affinity",
            "nodeAffinity",
        )
    return below[0] == "terminationGracePeriodSeconds" and change.new == 1 and number(old, below[0]) < 0


def _tolerations(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Iterator[Problem]:
    kept = [{**toleration, "tolerationSeconds": None} for _, toleration in structs(new, "tolerations")]
    for _, toleration in structs(old, "tolerations"):
        if not any(is_same({**toleration, "tolerationSeconds": None}, other) for other in kept):
            change = Change(("spec", "tolerations"), toleration, None)
            yield refused((change,), POD_WAY_OUT, "can only be added to")
            return


def _gates(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Iterator[Problem]:
    known = {text(gate, "name") for _, gate in structs(old, "schedulingGates")}
    for index, gate in structs(new, "schedulingGates"):
        if text(gate, "name") not in known:
            change = Change(("spec", "schedulingGates", index), None, text(gate, "name"))
            yield refused((change,), POD_WAY_OUT, "can only be removed, not added,")


def service(update: Update) -> Iterator[Problem]:
    """A Service's addresses and load balancer are assigned once (ValidateServiceUpdate).

    What is not written is the cluster's to choose, and stays as the cluster chose it.
    """
    old, new = mapping(update.last, "spec"), mapping(update.manifest, "spec")
    before, after = text(old, "type", default="ClusterIP"), text(new, "type", default="ClusterIP")
    if "ExternalName" in (before, after):
        return
    yield from _addresses(old, new)
    if before == after == "LoadBalancer":
        yield from update.frozen(("spec", "loadBalancerClass"), RECREATE)
        if text(old, "externalTrafficPolicy") == text(new, "externalTrafficPolicy") == "Local":
            ports = number(old, "healthCheckNodePort"), number(new, "healthCheckNodePort")
            if all(ports) and ports[0] != ports[1]:
                yield refused((Change(("spec", "healthCheckNodePort"), *ports),), RECREATE)


def _addresses(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Iterator[Problem]:
    """The cluster's own choice is never None, and is not known here."""
    before, after = _address(old), _address(new)
    chosen_before = before or ("None" if after == "None" else "")
    if after and before != after and chosen_before:
        field = "clusterIP" if text(new, "clusterIP") else "clusterIPs"
        yield refused((Change(("spec", field), before or None, after),), RECREATE)
        return
    if after == "None":
        return
    families = sequence(old, "ipFamilies")[:1], sequence(new, "ipFamilies")[:1]
    if all(families) and families[0] != families[1]:
        yield refused((Change(("spec", "ipFamilies", 0), families[0][0], families[1][0]),), RECREATE)


def _address(spec: Mapping[Any, Any]) -> str:
    listed = sequence(spec, "clusterIPs")
    return text(spec, "clusterIP") or (listed[0] if listed and isinstance(listed[0], str) else "")


SPECIAL: dict[tuple[str, str], Callable[[Update], Iterator[Problem]]] = {
    ("", "ConfigMap"): immutable,
    ("", "PersistentVolume"): volume,
    ("", "PersistentVolumeClaim"): claim,
    ("", "Pod"): pod,
    ("", "ResourceQuota"): quota,
    ("", "Secret"): immutable,
    ("", "Service"): service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definition,
    ("batch", "Job"): job,
}
"""The rules of API groups' kinds that a table of fields cannot say."""
