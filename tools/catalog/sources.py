"""The sources of a vLLM release, and an environment that its Python files import in."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from pypi_simple import DistributionPackage, PyPISimple

_KEPT = ("CMakeLists.txt", "Dockerfile", "docker/", "requirements", "vllm/")


def unpack(version: str, into: Path) -> Path:
    """The folder with the sources of a release, downloaded unless they are there.

    They come from the source distribution, or from a wheel where a release has none (0.15.0 and 0.15.1).
    Raises `SystemExit` for a version that was not released.
    """
    folder = into / f"vllm-{version}"
    if folder.exists():
        return folder
    with tempfile.TemporaryDirectory(dir=into) as temporary:
        archive, unpacked = Path(temporary, "archive"), Path(temporary, "unpacked")
        with PyPISimple() as index:
            index.download_package(_distribution(index, version), archive)
        _extract(archive, unpacked)
        unpacked.rename(folder)
    return folder


def install_requirements(source: Path) -> None:
    """Install what the Python files of a release import, into the environment that runs this."""
    listed = source / "requirements" / "common.txt"
    old = source / "requirements-common.txt"
    if listed.is_file() or old.is_file():
        requirements = str(listed if listed.is_file() else old)
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--requirement", requirements)
        subprocess.run(pip, check=True)


def _distribution(index: PyPISimple, version: str) -> DistributionPackage:
    packages = [each for each in index.get_project_page("vllm").packages if each.version == version]
    for kind in ("sdist", "wheel"):
        for package in packages:
            if package.package_type == kind and "aarch64" not in package.filename:
                return package
    raise SystemExit(f"vLLM {version} was not released as a source distribution or wheel")


def _extract(archive: Path, folder: Path) -> None:
    """Write the Python files and what says how the images are built."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder, [name for name in wheel.namelist() if _is_kept(name)])
        return
    with tarfile.open(archive) as distribution:
        for member in distribution:
            member.name = member.name.partition("/")[2]
            if member.isfile() and _is_kept(member.name):
                distribution.extract(member, folder, filter="data")


def _is_kept(name: str) -> bool:
    return name.startswith(_KEPT) and (name.endswith(".py") or not name.startswith("vllm/"))
