"""What vLLM's releases know: read from their sources into the data files of the package."""
