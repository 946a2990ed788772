"""Read YAML and JSON within bounds, YAML with the line and column of every value."""
