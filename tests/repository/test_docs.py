"""What the README and the docs promise about themselves."""

from __future__ import annotations

import re

import pytest

from conftest import REPO
from vllm_kustomize import __version__

MOST_WORDS = 1_000


def test_the_readme_stays_short() -> None:
    assert len((REPO / "README.md").read_text(encoding="utf-8").split()) <= MOST_WORDS


def test_examples_name_the_version_of_the_package() -> None:
    text = (REPO / "docs/integrations.md").read_text(encoding="utf-8")
    assert set(re.findall(r"(?:rev: |vllm-kustomize@)v(\S+)", text)) == {__version__}


def test_actions_are_pinned_by_commit() -> None:
    files = [REPO / "action.yml", *(REPO / ".github/workflows").glob("*.yml")]
    used = {name for file in files for name in re.findall(r"uses: (\S+)", file.read_text(encoding="utf-8"))}
    loose = {name for name in used if not re.search(r"@[0-9a-f]{40}\Z", name)}
    # The one whose commit could not be verified, as release.yml says.
    assert loose == {"pypa/gh-action-pypi-publish@v1.14.0"}


def test_every_promise_names_a_test_that_exists() -> None:
    text = (REPO / "docs/security.md").read_text(encoding="utf-8")
    promises = [line for line in text.splitlines() if line.startswith("| ") and "promise" not in line]
    named = [re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", line) for line in promises]
    assert promises
    assert all(named), "a promise without a test"
    missing = [
        f"{file}::{test}"
        for tests in named
        for file, test in tests
        if not re.search(rf"^def {test}\(", (REPO / file).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []


@pytest.mark.parametrize("page", ["docs/maintenance.md", "docs/architecture.md", "CONTRIBUTING.md"])
def test_the_paths_that_a_page_names_exist(page: str) -> None:
    text = (REPO / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?!\.\.)[\w.-]+(?:/[\w.-]+)+/?)`", text))
    roots = [REPO / root for root in (".", "docs", "tools", "tools/vllm_kustomize")]
    assert [path for path in sorted(named) if not any((root / path).exists() for root in roots)] == []
