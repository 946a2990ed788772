"""Traps of Kustomize: what builds, and does something else than its author meant."""
