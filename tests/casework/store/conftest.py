"""Every test works on an instance of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.casework.office import Bench
from tests.casework.store.rooms import Room, room_of


@pytest.fixture
def room(founded: Bench, tmp_path: Path) -> Iterator[Room]:
    """An office whose files lie as in an instance, and two folders for archives."""
    with room_of(founded, tmp_path) as made:
        yield made
