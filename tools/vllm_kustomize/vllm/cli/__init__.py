"""The command line of `vllm serve`: its options in every release, and how vLLM parses them."""
