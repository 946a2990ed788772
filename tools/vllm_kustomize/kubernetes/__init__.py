"""What Kubernetes objects hold, read the same way by the API-server checks, the vLLM reader and the rules."""
