"""A skipped test is a failure in CI, and only there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SKIPS = {
    "in the test": "import pytest\ndef test_it():\n    pytest.skip('x')\n",
    "by a mark": "import pytest\n@pytest.mark.skip\ndef test_it(): ...\n",
    "by a fixture": (
        "import pytest\n@pytest.fixture\ndef f():\n    pytest.skip('x')\ndef test_it(f): ...\n"
    ),
    "of the module": "import pytest\npytest.skip('x', allow_module_level=True)\n",
}


def run(folder: Path, code: str, ci: str) -> int:
    shutil.copyfile(Path(__file__).parents[1] / "conftest.py", folder / "conftest.py")
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(code + "\ndef test_other(): ...\n")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", str(folder)],
        cwd=folder,
        env={**os.environ, "CI": ci},
        stdout=subprocess.DEVNULL,
        check=False,
    ).returncode


@pytest.mark.parametrize("how", SKIPS)
def test_a_skip_fails_in_ci(how: str, tmp_path: Path) -> None:
    assert run(tmp_path, SKIPS[how], "true") != 0


def test_a_skip_passes_on_a_laptop(tmp_path: Path) -> None:
    assert run(tmp_path, SKIPS["in the test"], "") == 0
