"""The core API group: pods and what they use."""
