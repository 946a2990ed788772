"""Faults that break any Kubernetes deployment."""
