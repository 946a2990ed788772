"""What a container that runs vLLM would do."""
