"""The office that the documents are tried on, and the foreign age implementation."""

from tests.casework.conftest import bench, filed, founded
from tests.crypto.age.conftest import ask_npm_age

__all__ = ["ask_npm_age", "bench", "filed", "founded"]
