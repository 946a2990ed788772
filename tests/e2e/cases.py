"""What `make e2e` runs: the overlays of each device, some with components, and broken ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
OVERLAYS = REPO / "overlays"
DEVICES = ("cpu", "nvidia", "amd")
CASES = Path(__file__).parent / "cases"
"""One overlay per folder; where it has an `expected.txt`, each of its lines is part of how it has to fail."""


@dataclass(frozen=True, slots=True)
class Case:
    """An overlay to run; `expected` is what its failure says, empty for one that has to serve."""

    name: str
    overlay: Path
    expected: tuple[str, ...] = ()

    def is_expected(self, failure: str) -> bool:
        """Whether a run failed the way it has to."""
        return all(part in failure for part in self.expected)


def all_cases() -> list[Case]:
    """The overlays of the three devices, then the folders below `CASES`."""
    folders = sorted(path.parent for path in CASES.glob("*/kustomization.yaml"))
    return [*(Case(name, OVERLAYS / name) for name in DEVICES), *map(_case, folders)]


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
            raise ValueError(f"{name} is not an overlay's folder and none of {', '.join(known)}")
    return chosen or list(known.values())


def _case(folder: Path) -> Case:
    expected = folder / "expected.txt"
    return Case(folder.name, folder, tuple(expected.read_text().splitlines()) if expected.exists() else ())
