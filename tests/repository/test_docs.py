"""What the README and the docs promise about themselves."""

from __future__ import annotations

import itertools
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


OVERLAYS = sorted(file.parent.name for file in REPO.glob("overlays/*/kustomization.yaml"))


def table(page: str, first: str) -> dict[str, list[str]]:
    """The rows of the table of a page whose first heading is `first`, by their first cell."""
    text = (REPO / page).read_text(encoding="utf-8")
    _, _, rows = text.partition(f"| {first} |")
    lines = itertools.takewhile(lambda line: line.startswith("|"), rows.splitlines()[2:])
    cells = ([cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines)
    return {row[0]: row[1:] for row in cells}


def test_the_readme_has_a_row_for_each_overlay() -> None:
    assert sorted(table("README.md", "overlay")) == [f"overlays/{name}" for name in OVERLAYS]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_row_of_the_readme_says_what_the_overlay_renders(overlay: str) -> None:
    _, model, image, level = table("README.md", "overlay")[f"overlays/{overlay}"]
    rendered = (REPO / f"tests/golden/{overlay}.yaml").read_text(encoding="utf-8")
    assert f"image: {image}:" in rendered
    assert re.search(rf"(?:- |=|: |/){re.escape(model)}$", rendered, re.MULTILINE)
    assert f"| {overlay} | {level} |" in (REPO / "docs/pod-security.md").read_text(encoding="utf-8")


def test_the_table_of_components_names_each_of_them() -> None:
    """Those that only other components include are their parts, and nobody's to list."""
    cells = " ".join(row[0] for row in table("docs/deploy.md", "for").values())
    files = {file.parent.name: file for file in REPO.glob("components/*/kustomization.yaml")}
    text = "".join(file.read_text(encoding="utf-8") for file in files.values())
    parts = set(re.findall(r"^  - \.\./([\w-]+)$", text, re.MULTILINE))
    assert files.keys() - set(re.findall(r"[\w-]+", cells)) <= parts


def test_the_page_on_other_systems_names_each_integration() -> None:
    text = (REPO / "docs/hand-overs.md").read_text(encoding="utf-8")
    files = REPO.glob("overlays/integrations/*/kustomization.yaml")
    names = [file.parent.name for file in files if "kind: Component" not in file.read_text(encoding="utf-8")]
    assert [name for name in names if f"integrations/{name}" not in text] == []
