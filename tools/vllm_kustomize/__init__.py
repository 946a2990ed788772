"""Build, validate and locate Kubernetes configuration for vLLM."""

__version__ = "0.1.0"
