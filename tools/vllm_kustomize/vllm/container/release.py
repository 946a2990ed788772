"""Which release of vLLM a container runs, as far as its image says.

A tag is vLLM's version only in vLLM's own repositories, or where it says so (`vllm_0.8.5`, `a-v0.8.5-cu128`)
and there is such a release. Distributions count on their own; `kubernetes/images.py` maps theirs where their
notes do. What is not known is not guessed: the newest release stands in, and what depends on the release is
then judged only where all releases agree (`cli/remarks.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vllm_kustomize.kubernetes import images
from vllm_kustomize.kubernetes.pods import Container
from vllm_kustomize.vllm.cli import catalog
from vllm_kustomize.vllm.cli.catalog import Release, version_key

_NUMBER = r"(\d{1,6}\.\d{1,6}\.\d{1,6}(?:\.\d{1,6})?(?:\.?post\d{1,6})?)"
_OWN_TAG = re.compile(rf"(?:^|vllm[_-])v?{_NUMBER}(rc\d+|[.-]?dev)?(?![\d.])")
_OTHER_TAG = re.compile(rf"(?:(?:^|[_-])v|vllm[_-]v?){_NUMBER}(?=$|[_+-])")


@dataclass(frozen=True, slots=True)
class Running:
    """The release that a container is checked against.

    `version` is how the image names its own, empty where it does not. `exact` says whether `release` is that
    very one and not a distribution's build of it: only then is a fault certain.
    """

    release: Release
    version: str = ""
    exact: bool = False


def release_of(container: Container, override: str = "") -> Running:
    """The release to check a container against; `override`, a version that the user gave, comes first.

    Raises `ValueError` for an override that is not a version.
    """
    if override:
        release, exact = catalog.nearest(override)
        return Running(release, override.removeprefix("v"), exact)
    version, certain = version_in(container.image)
    if not version:
        return Running(catalog.newest())
    release, exact = catalog.nearest(version)
    return Running(release, version, exact and certain)


def version_in(image: str) -> tuple[str, bool]:
    """The vLLM version of an image, and whether the image is vLLM's final release of it, or a build of it.

    `("", False)` where the image does not say, and for a version outside the releases that are known.
    """
    reference, known = images.parse(image), images.image_of(image)
    if known is not None and known.releases is not None:
        based_on = next(
            (
                vllm
                for tag, vllm in known.releases.items()
                if re.match(rf"v?{re.escape(tag)}(?!\d)", reference.tag)
            ),
            "",
        )
        return based_on, False
    if known is not None:
        found = _OWN_TAG.search(reference.tag)
        return (found[1], found[2] is None) if found and _is_within(found[1]) else ("", False)
    found = _OTHER_TAG.search(reference.tag)
    if found and "vllm" in image and found[1] in catalog.releases():
        return found[1], True
    return "", False


def _is_within(version: str) -> bool:
    known = catalog.releases()
    return version_key(known[0]) <= version_key(version) <= version_key(known[-1])
