"""Faults of a vLLM deployment: what the server would refuse, miss or run out of."""
