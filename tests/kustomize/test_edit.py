"""Edits change the span that they name and no other byte, in the repository alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from vllm_kustomize.kustomize.discover import overlay_at
from vllm_kustomize.kustomize.edit import Edit, Scalars, apply, edited, users, write
from vllm_kustomize.kustomize.replay.tree import SourceTree
from vllm_kustomize.kustomize.yaml.nodes import read_documents
from vllm_kustomize.model import Error, Location

TEXTS = [
    pytest.param("image: vllm:v1 # pinned\n", "image: vllm:v2 # pinned\n", id="plain"),
    pytest.param(
        "é: x\nimage: 'vllm:v1'  # é\n", "é: x\nimage: 'vllm:v2'  # é\n", id="quoted, behind umlauts"
    ),
    pytest.param('image:   "vllm:v1"\r\nb: c\r\n', 'image:   "vllm:v2"\r\nb: c\r\n', id="CRLF"),
    pytest.param("\ufeffa: b\nimage: vllm:v1\n", "\ufeffa: b\nimage: vllm:v2\n", id="BOM"),
    pytest.param("a: [x, {image: vllm:v1}, v1]\n", "a: [x, {image: vllm:v2}, v1]\n", id="flow"),
    pytest.param("image: |\n  vllm:v1\n  more\n", "image: |\n  vllm:v2\n  more\n", id="block"),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_only_the_span_changes(text: str, expected: str) -> None:
    (document,) = read_documents(text, "file.yaml")
    node = document.root.get("image") or document.root.items("a")[1].get("image")
    assert node is not None
    edit = Scalars(text).replace(Path("file.yaml"), node.location(), "v1", "v2")
    assert edit is not None
    assert apply(text.encode(), [edit]) == expected.encode()


def test_what_is_not_there_once_is_not_replaced() -> None:
    scalars = Scalars("a: v1 v1\nb: x\n")
    file = Path("file.yaml")
    assert scalars.replace(file, Location("", 1, 4), "v1", "v2") is None
    assert scalars.replace(file, Location("", 2, 4), "v1", "v2") is None
    assert scalars.replace(file, Location("", 9, 9), "v1", "v2") is None


def test_the_same_edit_twice_is_one_and_overlapping_ones_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("abcdef")
    same = Edit(file, 1, 2, "X")
    assert edited([same, same, Edit(file, 3, 3, "-")], tmp_path) == {file.resolve(): b"aXc-def"}
    with pytest.raises(Error, match=r"two changes of .*a\.yaml overlap at byte 1"):
        edited([Edit(file, 0, 2, ""), same], tmp_path)


def test_a_file_outside_of_the_repository_stays(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "other.yaml").write_text("a: b")
    (tmp_path / "repo/link.yaml").symlink_to(tmp_path / "other.yaml")
    with pytest.raises(Error, match=r"link\.yaml is outside of the repository and stays as it is"):
        edited([Edit(tmp_path / "repo/link.yaml", 0, 1, "c")], tmp_path / "repo")


def test_writing_keeps_permissions_and_says_what_uses_a_file(tmp_path: Path) -> None:
    for folder, text in {
        "base": "resources: [a.yaml]\n",
        "one": "resources: [../base]\n",
        "two": "resources: [../base]\n",
        "other": "resources: []\n",
    }.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "kustomization.yaml").write_text(text)
    file = tmp_path / "base/a.yaml"
    file.write_text("kind: A\n")
    file.chmod(0o640)
    overlays = [overlay_at(tmp_path / name) for name in ("one", "two", "other")]
    assert users([file], overlays, SourceTree()) == {file: (overlays[0].name, overlays[1].name)}
    write(edited([Edit(file, 6, 7, "B")], tmp_path))
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("kind: B\n", 0o640)
    assert sorted(path.name for path in file.parent.iterdir()) == ["a.yaml", "kustomization.yaml"]
