"""The engine and the sources behind a build."""
