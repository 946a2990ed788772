"""YAML with the line and column of every value, and a fast reader for what nobody asks the lines of."""
