"""Tell a build that is broken from one that needs what is not here: a network, a chart, an ignored file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from vllm_kustomize.kustomize.discover import KUSTOMIZATION_NAMES, display_path, kustomization_in
from vllm_kustomize.kustomize.ignored import is_ignored
from vllm_kustomize.kustomize.repository import root_of
from vllm_kustomize.kustomize.yaml.reader import read_text

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
_NO_KUSTOMIZATION = re.compile(r"or 'Kustomization' in directory '([^']+)'")
_REMOTE = re.compile(r"(?:https?|ssh|oci)://\S+|\b(?:github|gitlab|bitbucket)\.\w+[/:]\S+")

_SCRIPTS = (
    ".sh",
    ".bash",
    ".py",
    ".tf",
    ".mk",
    "Makefile",
    "Justfile",
    "justfile",
    "Taskfile.yml",
    "Taskfile.yaml",
)
"""How the names of files end that make other files."""
_READS = re.compile(r"\b(?:kubectl|oc|kustomize)\b")
"""What is on a line of a script that uses a file, and makes none."""


def what_it_needs(message: str, directory: Path) -> str:
    """What a build needs and does not have, by the engine's message; nothing where it is broken."""
    for reason, pattern in _NEEDS.items():
        if pattern.search(message):
            return reason
    kustomization = kustomization_in(directory)
    if message.endswith(" is empty") and kustomization and _is_blank(kustomization):
        return what_is_blank([kustomization])
    unnamed = [f"{folder}/{KUSTOMIZATION_NAMES[0]}" for folder in _NO_KUSTOMIZATION.findall(message)]
    for file in (*_MISSING.findall(message), *unnamed):
        if _REMOTE.match(file):
            return "it fetches a remote resource, which needs the network"
        # The engine names a file from the working directory, or from the kustomization's.
        for path in (Path(file).absolute(), directory.absolute() / file):
            if not path.exists() and is_ignored(path):
                return f"its input {file} is not here, and git ignores it"
            if not path.exists() and (script := _maker(path)):
                return f"its input {file} is not here, and {display_path(script)} makes it"
    return ""


def what_is_blank(files: Iterable[Path]) -> str:
    """The inputs of a build that hold nothing but comments, as those have that `flux bootstrap` will fill."""
    blank = [display_path(file) for file in sorted(files) if _is_blank(file)]
    return f"{blank[0]} is still to be filled in: only comments are there" if blank else ""


def _is_blank(file: Path) -> bool:
    try:
        lines = read_text(file).splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return any(lines) and all(line.lstrip().startswith("#") for line in lines if line.strip())


def _maker(file: Path) -> Path | None:
    """A script in the folders above a file that names it: it is made before the build is run."""
    root = root_of(file.parent)
    for folder in (folder for folder in file.parents if folder.is_relative_to(root) and folder.is_dir()):
        for script in sorted(folder.iterdir()):
            if script.name.endswith(_SCRIPTS) and _names(script, file.name):
                return script
    return None


def _names(script: Path, name: str) -> bool:
    whole = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])")
    try:
        lines = read_text(script).splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return any(whole.search(line) and not _READS.search(line) for line in lines)
