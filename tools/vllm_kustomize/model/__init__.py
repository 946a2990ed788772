"""What flows through the pipeline: frozen values, no input or output."""

from vllm_kustomize.model.diagnosis import Diagnosis
from vllm_kustomize.model.error import Error
from vllm_kustomize.model.finding import Allow, Finding, Suppressed
from vllm_kustomize.model.location import Location, Precision
from vllm_kustomize.model.problem import Outcome, Problem, Related, Severity, SourceProblem, Undecided
from vllm_kustomize.model.report import Cluster, Part, Report, Skipped
from vllm_kustomize.model.resource import (
    Build,
    FieldPath,
    KubernetesVersion,
    Manifest,
    Offset,
    Overlay,
    Resource,
    format_path,
    format_version,
    without_offset,
)

__all__ = [
    "Allow",
    "Build",
    "Cluster",
    "Diagnosis",
    "Error",
    "FieldPath",
    "Finding",
    "KubernetesVersion",
    "Location",
    "Manifest",
    "Offset",
    "Outcome",
    "Overlay",
    "Part",
    "Precision",
    "Problem",
    "Related",
    "Report",
    "Resource",
    "Severity",
    "Skipped",
    "SourceProblem",
    "Suppressed",
    "Undecided",
    "format_path",
    "format_version",
    "without_offset",
]
