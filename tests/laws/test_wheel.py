"""`pip install .` brings everything that the packages need, from any folder, and nothing else."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.laws import rules

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = (*rules.PACKAGES, "templates", "static")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Build the wheel from a copy of the tree, and return the names in it."""
    source = tmp_path_factory.mktemp("source")
    for name in rules.files_of(ROOT):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name)
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"),
            *("--no-build-isolation", "--wheel-dir", str(target), str(source)),
        ],
        cwd=target,
        env={**os.environ, "PYTHONWARNINGS": "default"},
        check=True,
    )
    (built,) = target.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def test_every_file_of_the_packages_is_in_the_wheel(wheel: set[str]) -> None:
    wanted = {str(name) for name in rules.files_of(ROOT) if name.parts[0] in SHIPPED}
    assert wanted
    assert {"sandbox/jail.py", "static/upload.js", "casework/evidence/receive.py"} <= wanted
    assert wanted - wheel == set()


def test_nothing_but_the_packages_is_in_the_wheel(wheel: set[str]) -> None:
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} <= set(SHIPPED)


def test_the_wheel_is_built_with_the_pinned_backend() -> None:
    pinned = (ROOT / "requirements" / "build.txt").read_text("utf-8")
    assert f"setuptools=={version('setuptools')} " in pinned
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]
    assert all(name.startswith("setuptools") for name in declared["requires"])
