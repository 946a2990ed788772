"""Shorten what the engine says of a failed build to the file and the reason."""

from __future__ import annotations

import re

_OBJECT = r"(?P<kind>\w+)\.\S+?/(?P<name>\S+?)\.\[noNs\]"

_REASONS = (
    (r"evalsymlink failure on '(?P<file>[^']+)' : lstat .*no such file or directory",
     r"\g<file> does not exist"),
    (r"unable to find one of 'kustomization\.yaml', .* in directory '(?P<folder>[^']+)'",
     r"\g<folder> has no kustomization.yaml"),
    (r"security; file '(?P<file>[^']+)' is not in or below '(?P<folder>[^']+)'",
     r"\g<file> is outside of \g<folder>, and a build reads only what is in or below its own folder"),
    (r"cycle detected: candidate root '(?P<base>[^']+)' contains visited root",
     r"\g<base> is built upon itself"),
    (r"expected kind '(?P<wanted>\w+)' for path '(?P<path>[^']+)' but got '(?P<kind>\w+)'",
     r"\g<path> is a \g<kind>, not a \g<wanted>"),
    (r"line (?P<line>\d+): mapping key (?P<key>\"[^\"]*\") already defined at line (?P<first>\d+)",
     r"the key \g<key> of line \g<line> already stands in line \g<first>"),
    (r"from '(?P<file>[^']+)': missing (?P<field>\S+) in object",
     r"\g<file> has an object without \g<field>"),
    (r"MalformedYAMLError: yaml: (?P<reason>.*) in File: (?P<file>\S+)",
     r"\g<file> is not YAML: \g<reason>"),
    (rf"no matches for Id {_OBJECT}", r"the build has no \g<kind>/\g<name>, which a patch names"),
    (rf"may not add resource with an already registered id: {_OBJECT}",
     r"\g<kind>/\g<name> is in the build twice"),
    (r"accumulating resources: accumulating resources from '(?P<file>[^']+)': (?P<reason>.*)",
     r"\g<file>: \g<reason>"),
)  # fmt: skip
"""Messages of kubernetes-sigs/kustomize (api/internal/target, api/internal/loader, kyaml), and what is left
of them."""


def shortened(message: str) -> str:
    """The file and the reason in an engine's message, or all of it where it has another form."""
    for pattern, short in _REASONS:
        if found := re.search(pattern, message):
            return found.expand(short)
    return message
