"""All profiles that an installation knows, by id and version."""

from collections.abc import Iterable, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Self

from casework.errors import NotFound
from casework.law.load import ProfileError, load_profile
from casework.law.profile import Profile


class ProfileCatalogue:
    """Profiles by id and version, old versions included: a case keeps the one it began with."""

    def __init__(self, profiles: Iterable[Profile]) -> None:
        """Index profiles by id and version.

        Raises:
            ProfileError: if two profiles claim the same id and version.
        """
        self._profiles: dict[tuple[str, int], Profile] = {}
        for profile in profiles:
            key = (profile.id, profile.version)
            if key in self._profiles:
                raise ProfileError(f"profile {profile.id} version {profile.version} exists twice")
            self._profiles[key] = profile

    @classmethod
    def from_package(cls) -> Self:
        """Load every profile shipped in ``casework/profiles``. Raises: ProfileError."""
        return cls.from_folder(files("casework") / "profiles")

    @classmethod
    def from_folder(cls, folder: Traversable) -> Self:
        """Load every ``*.toml`` of a folder. Raises: ProfileError."""
        found = sorted(folder.iterdir(), key=lambda entry: entry.name)
        return cls(load_profile(entry) for entry in found if entry.name.endswith(".toml"))

    def get(self, profile_id: str, version: int) -> Profile:
        """Return one version of a profile. Raises: NotFound."""
        try:
            return self._profiles[profile_id, version]
        except KeyError:
            raise NotFound(f"profile {profile_id} version {version}") from None

    def __iter__(self) -> Iterator[Profile]:
        """Yield every version of every profile."""
        return iter(self._profiles.values())

    def latest(self, profile_id: str) -> Profile:
        """Return the highest version of a profile. Raises: NotFound."""
        versions = [version for known, version in self._profiles if known == profile_id]
        if not versions:
            raise NotFound(f"profile {profile_id}")
        return self._profiles[profile_id, max(versions)]

    def ids(self) -> tuple[str, ...]:
        """Return the ids of all profiles, sorted."""
        return tuple(sorted({profile_id for profile_id, _ in self._profiles}))
