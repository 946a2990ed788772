"""Tell a build that is broken from one that needs what is not here: a network, a chart, an ignored file."""

from __future__ import annotations

import re
from pathlib import Path

from vllm_kustomize.kustomize.engine import git
from vllm_kustomize.model import Error

_NEEDS = {
    "it fetches a remote resource, which needs the network": re.compile(
        r"\bgit (?:fetch|clone|ls-remote|checkout)|failed to run '\S*git|dial tcp|no such host|"
        r"[Cc]ould not resolve|unable to access '|i/o timeout|connection refused|proxyconnect|"
        r"TLS handshake|accumulating remote|trouble (?:cloning|fetching)|URL is a git repository|"
        r"hit \d+s? timeout running|HTTP status"
    ),
    "it inflates a Helm chart; --enable-helm allows that": re.compile(r"must specify --enable-helm"),
    "it inflates a Helm chart, and helm is not here": re.compile(
        r"helm\S*: executable file not found|unable to run: 'helm|helm version -c"
    ),
    "it runs a plugin, which the engine does only when told to": re.compile(
        r"external plugins disabled|--enable-alpha-plugins|--enable-exec|unable to load plugin|"
        r"couldn't execute function|plugins? (?:are )?not enabled|could not build container"
    ),
}
"""What the engine says of what it lacks, and what that means (kubernetes-sigs/kustomize, api/ and kyaml/)."""

_MISSING = re.compile(r"(?:evalsymlink failure on|open|lstat|stat|invalid file reference:) '?([^\s':]+)")
_REMOTE = re.compile(r"(?:https?|ssh|oci)://\S+|\b(?:github|gitlab|bitbucket)\.\w+[/:]\S+")


def what_it_needs(message: str, directory: Path) -> str:
    """What a build needs and does not have, by the engine's message; nothing where it is broken."""
    for reason, pattern in _NEEDS.items():
        if pattern.search(message):
            return reason
    for file in _MISSING.findall(message):
        if _REMOTE.match(file):
            return "it fetches a remote resource, which needs the network"
        # The engine names a file from the working directory, or from the kustomization's.
        if _is_ignored(Path(file).absolute()) or _is_ignored(directory.absolute() / file):
            return f"its input {file} is not here, and git ignores it"
    return ""


def _is_ignored(file: Path) -> bool:
    """Whether git leaves a file out of the repository: it is made where the build is run."""
    folder = next((parent for parent in file.parents if parent.is_dir()), None)
    try:
        return folder is not None and bool(git("check-ignore", str(file), directory=folder))
    except Error:  # no git, no repository, or not ignored
        return False
