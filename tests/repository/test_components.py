"""What a component's opening comment says of overlays is true, and `docs/components.md` says the same.

The comment is the only place that says so: `Needs:`, `With COMPONENT: why`, `On OVERLAY with COMPONENT: why`
and `Not for OVERLAY, OVERLAY: why`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from conftest import REPO, Golden
from vllm_kustomize.model import Severity
from vllm_kustomize.pipeline import validate
from vllm_kustomize.settings import Settings

COMPONENTS = REPO / "components"
OVERLAYS = ("cpu", "nvidia", "amd", "intel", "nvidia-replicas", "nvidia-multinode", "nvidia-disaggregated")
PAIR = ("transfer", "prefill", "roles")
"""Parts of nvidia-disaggregated: a component is listed before them."""
DOCUMENT = REPO / "docs/components.md"

STATEMENT = re.compile(r"(?:Needs|With|On|Not for)\b[^:]*: ")
HEAD = """\
# Components

Generated from the opening comments of `components/*/kustomization.yaml`; `make golden` rewrites it.

A component adds one capability to an overlay. List it in a kustomization of your own:

```yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ../nvidia
components:
  - ../../components/api-key
  - ../../components/network-policy
```

Every cell of the table is built and validated by a test. `✓` works, `part` is in the overlay already, `no`
is not meant. In the columns `nvidia-multinode` and `nvidia-disaggregated` a component is listed on top of
`nvidia`, before what copies the server's pod template: `multi-node`, and `transfer`, `prefill` and `roles` of
that overlay.
"""


@dataclass(frozen=True)
class Component:
    """A component's opening comment, read."""

    name: str
    summary: str
    needs: str
    companions: dict[str, dict[str, str]]
    excluded: dict[str, str]


@cache
def components() -> tuple[Component, ...]:
    folders = sorted(path.parent for path in COMPONENTS.glob("*/kustomization.yaml"))
    parts = {part for folder in folders for part in inside(folder)}  # of other components, not to be listed
    return tuple(read(folder) for folder in folders if folder.name not in parts)


def read(directory: Path) -> Component:
    text, statements = "", []
    for line in (directory / "kustomization.yaml").read_text(encoding="utf-8").splitlines():
        if not line.startswith("# "):
            break
        line = line.removeprefix("# ")
        if STATEMENT.match(line):
            statements.append(line)
            continue
        words = f" `{line.strip()}`" if line.startswith("  ") else f" {line}"  # an indented line is a command
        if statements:
            statements[-1] += words
        else:
            text += words
    needs, excluded = "", dict[str, str]()
    companions: dict[str, dict[str, str]] = {}
    for statement in statements:
        subject, _, reason = statement.partition(": ")
        if subject == "Needs":
            needs = reason
        elif subject.startswith("Not for "):
            excluded |= dict.fromkeys(subject.removeprefix("Not for ").split(", "), reason)
        else:
            where, _, name = subject.rpartition("ith ")
            for overlay in re.findall(r"On (\S+)", where) or OVERLAYS:
                companions.setdefault(overlay, {})[name] = reason
    assert needs, f"{directory.name} says nothing about what it needs"
    assert {*excluded, *companions} <= {*OVERLAYS}, directory.name
    return Component(directory.name, text.strip(), needs, companions, excluded)


@cache
def inside(directory: Path) -> frozenset[str]:
    """The components that an overlay has in it, through whatever lies between."""
    kustomization = yaml.safe_load((directory / "kustomization.yaml").read_text(encoding="utf-8"))
    entries = [*kustomization.get("resources", ()), *kustomization.get("components", ())]
    folders = [(directory / entry).resolve() for entry in entries if (directory / entry).is_dir()]
    own = {folder.name for folder in folders if folder.parent == COMPONENTS}
    return frozenset(own.union(*map(inside, folders)))


def companions(component: Component, overlay: str) -> list[str]:
    """The components that one has to be listed after, less those that the overlay has in it."""
    own = inside(REPO / "overlays" / overlay)
    return [name for name in component.companions.get(overlay, ()) if name not in own]


def cell(component: Component, overlay: str) -> str:
    if component.name in inside(REPO / "overlays" / overlay):
        return "part"
    if overlay in component.excluded:
        return "no"
    others = companions(component, overlay)
    return f"✓ with {', '.join(f'`{name}`' for name in others)}" if others else "✓"


def reasons(component: Component) -> Iterator[str]:
    for reason in dict.fromkeys(component.excluded.values()):
        overlays = [overlay for overlay, given in component.excluded.items() if given == reason]
        yield f"not for {', '.join(overlays)}: {reason}"
    needed = {name: why for others in component.companions.values() for name, why in others.items()}
    for name, reason in needed.items():
        yield f"with `{name}`: {reason}"


def document() -> str:
    def row(*cells: str) -> str:
        return f"| {' | '.join(cells)} |\n"

    table = row("component", *OVERLAYS) + row("---", *("---" for _ in OVERLAYS))
    for component in components():
        link = f"[{component.name}](#{component.name})"
        table += row(link, *(cell(component, overlay) for overlay in OVERLAYS))
    sections = ""
    for component in components():
        sections += f"\n## {component.name}\n\n{component.summary}\n\n- Needs: {component.needs}\n"
        sections += "".join(f"- {reason[0].upper()}{reason[1:]}\n" for reason in reasons(component))
    return f"{HEAD}\n{table}{sections}"


def test_document_is_current(golden: Golden) -> None:
    golden(DOCUMENT, document())


def listed(component: Component, overlay: str) -> tuple[str, list[Path]]:
    """The overlay below a cell of the table, and the components on top of it in their order."""
    names = [*companions(component, overlay), component.name]
    if overlay == "nvidia-multinode":
        group = next(item for item in components() if item.name == "multi-node")
        names = [*companions(group, "nvidia"), *names, group.name]
    if overlay == "nvidia-disaggregated":
        names = [*sorted(inside(REPO / "overlays" / overlay), reverse=True), *names]
    base = "nvidia" if overlay in ("nvidia-multinode", "nvidia-disaggregated") else overlay
    folders = [COMPONENTS / name for name in dict.fromkeys(names)]
    if overlay == "nvidia-disaggregated":
        folders += [REPO / "overlays" / overlay / name for name in PAIR]
    return base, folders


def write(directory: Path, **content: Any) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    head = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    (directory / "kustomization.yaml").write_text(yaml.safe_dump(head | content), encoding="utf-8")


def test_every_cell_builds_and_has_no_errors(tmp_path: Path) -> None:
    # One build a column, with a namespace for each cell: starting the engine is most of what a build takes.
    columns = []
    for overlay in OVERLAYS:
        column = tmp_path.resolve() / overlay
        cells = [component for component in components() if cell(component, overlay).startswith("✓")]
        for component in cells:
            directory = column / component.name
            base, folders = listed(component, overlay)
            write(
                directory,
                resources=[os.path.relpath(REPO / "overlays" / base, directory)],
                components=[os.path.relpath(folder, directory) for folder in folders],
                namespace=f"{overlay}-{component.name}",
            )
        write(column, resources=[component.name for component in cells])
        columns.append(str(column / "kustomization.yaml"))
    report = validate(columns, Settings(cache=False))
    assert [finding for finding in report.findings if finding.severity >= Severity.ERROR] == []
    assert report.overlays == len(OVERLAYS)
