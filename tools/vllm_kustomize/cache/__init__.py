"""Findings of overlays whose inputs have not changed, kept between runs, and watching those inputs."""
