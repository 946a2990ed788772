"""What recorded the verdicts in tests/conformance, and records those of the next Kubernetes release."""
