"""Build, validate and locate Kubernetes configuration for vLLM.

The names below are the public API (docs/api.md); every other module may change in any release.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vllm_kustomize.version import __version__

if TYPE_CHECKING:
    from vllm_kustomize.model import Error, Finding, Location, Report, Severity
    from vllm_kustomize.pipeline import validate
    from vllm_kustomize.settings import Settings

__all__ = ["Error", "Finding", "Location", "Report", "Settings", "Severity", "__version__", "validate"]

_HOMES = {"validate": "pipeline", "Settings": "settings"}
"""The modules of the names that `model` does not have."""


def __getattr__(name: str) -> Any:
    """Import a name once it is asked for: the command starts without any of them."""
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'model')}"), name)
