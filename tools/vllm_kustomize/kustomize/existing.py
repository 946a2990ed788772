"""What exists before a build is applied: rendered YAML, a folder, overlays, or these at a git revision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vllm_kustomize.kustomize.discover import find_overlays, kustomization_in
from vllm_kustomize.kustomize.engine import Engine
from vllm_kustomize.kustomize.load import load_rendered, resources_in
from vllm_kustomize.kustomize.revision import checked_out
from vllm_kustomize.kustomize.yaml.nodes import DocumentError, read_documents
from vllm_kustomize.model import Build, Error, Overlay, Resource

RENDERED = (".yaml", ".yml", ".json")


class Existing:
    """The objects at one place, each overlay rendered when it is first asked for."""

    def __init__(self, shown: str, place: Path, engine: Engine) -> None:
        """Look at `place`, called `shown` in messages; raises `Error` where nothing is there."""
        self._shown = shown
        self._engine = engine
        self._rendered: dict[Path, tuple[Resource, ...]] = {}
        self._files: tuple[Resource, ...] = ()
        self._overlays: dict[str, Overlay] = {}
        if place.is_file():
            self._files = tuple(_read(place, shown))
        elif not place.is_dir():
            raise Error(f"--existing {shown}: there is no such file or folder")
        elif _has_kustomizations(place):
            self._overlays = {
                overlay.directory.resolve().relative_to(place.resolve()).as_posix(): overlay
                for overlay in find_overlays(place)
            }
        else:
            files = sorted(file for file in place.rglob("*") if file.suffix in RENDERED)
            if not files:
                raise Error(f"--existing {shown}: the folder holds no YAML and no overlay")
            self._files = tuple(resource for file in files for resource in _read(file, str(file)))

    def __call__(self, build: Build) -> tuple[Resource, ...]:
        """The objects that a build updates: those of the overlay of its name, where OLD holds several.

        An overlay that OLD does not hold is new, and updates nothing.
        """
        if not self._overlays:
            return self._files
        if set(self._overlays) == {"."}:
            return self._render(self._overlays["."])
        name = build.overlay.directory.resolve().as_posix() if build.overlay else ""
        paired = [path for path in self._overlays if f"/{name}".endswith(f"/{path}")]
        return self._render(self._overlays[max(paired, key=len)]) if paired else ()

    def _render(self, overlay: Overlay) -> tuple[Resource, ...]:
        if overlay.directory not in self._rendered:
            rendered = self._engine.build(overlay)
            if rendered.error:
                raise Error(
                    f"--existing {self._shown}: {overlay.directory.name} does not build: {rendered.error}"
                )
            self._rendered[overlay.directory] = tuple(load_rendered(rendered.output, self._shown))
        return self._rendered[overlay.directory]


@contextmanager
def open_existing(old: str, engine: Engine) -> Iterator[Existing]:
    """Open what `old` names; a revision is checked out into a temporary folder for as long as it is needed.

    Raises `Error` where there is nothing at `old`, or no such revision.
    """
    revision, colon, path = old.partition(":")
    if not colon or Path(old).exists():
        yield Existing(old, Path(old), engine)
        return
    with checked_out(revision) as here:
        yield Existing(old, here / path, engine)


def _has_kustomizations(folder: Path) -> bool:
    return kustomization_in(folder) is not None or any(
        kustomization_in(path) for path in folder.rglob("*") if path.is_dir()
    )


def _read(file: Path, shown: str) -> Iterator[Resource]:
    try:
        documents = read_documents(file.read_text(encoding="utf-8-sig"), shown)
    except (OSError, UnicodeDecodeError) as error:
        raise Error(f"cannot read {shown}: {error}") from None
    except DocumentError as error:
        where = f"{shown}:{error.location.line}:{error.location.column}"
        raise Error(f"{where}: {error.message}") from None
    for index, document in enumerate(documents):
        yield from resources_in(document.data, index)
