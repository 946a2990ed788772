"""What `make e2e` runs: the overlays of each device, and broken ones that have to fail."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
OVERLAYS = REPO / "overlays"
DEVICES = ("cpu", "nvidia", "amd")
NEGATIVE = Path(__file__).parent / "cases"
"""One overlay a folder; every line of its `expected.txt` has to be part of how it fails."""


@dataclass(frozen=True, slots=True)
class Case:
    """An overlay to run; `expected` is what its failure says, empty for one that has to serve."""

    name: str
    overlay: Path
    expected: tuple[str, ...] = ()

    def is_expected(self, failure: str) -> bool:
        """Whether a run failed the way it has to."""
        return bool(failure) and all(part in failure for part in self.expected)


def all_cases() -> list[Case]:
    """The overlays of the three devices, then the negative cases."""
    folders = sorted(path.parent for path in NEGATIVE.glob("*/expected.txt"))
    return [*(Case(name, OVERLAYS / name) for name in DEVICES), *map(_negative, folders)]


def find(names: list[str]) -> list[Case]:
    """The cases of these names, or the overlays at these paths; all cases without a name.

    Raises `ValueError` for a name that is neither.
    """
    known = {case.name: case for case in all_cases()}
    chosen = []
    for name in names:
        if name in known:
            chosen.append(known[name])
        elif (Path(name) / "kustomization.yaml").exists():
            chosen.append(Case(Path(name).name, Path(name).resolve()))
        else:
            raise ValueError(f"{name} is no overlay's folder and none of {', '.join(known)}")
    return chosen or list(known.values())


def _negative(folder: Path) -> Case:
    return Case(folder.name, folder, tuple((folder / "expected.txt").read_text().splitlines()))
