"""portal.wiring: an instance is served whole or not at all, and a demo stays a demo."""

import stat
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from litestar.testing import TestClient
from sqlalchemy import text

from casework.errors import CaseworkError
from casework.keys.accounts import CostTooLow
from casework.store.engine import open_engine
from portal import settings as configuration
from portal import wiring
from portal.cli import instance as instances_cli
from portal.settings import InstanceSection, Settings
from portal.wiring import NotReady
from tests.portal import instances
from tests.portal.instances import Instance


@pytest.fixture
def made(tmp_path: Path) -> Instance:
    return instances.make(tmp_path / "office")


def change(made: Instance, **values: object) -> None:
    settings = configuration.load(made.folder, {})
    section = msgspec.structs.replace(settings.instance, **values)
    # What only a demo may leave out; each test is about something else.
    staff = msgspec.structs.replace(settings.staff, second_factor=True)
    changed = msgspec.structs.replace(settings, instance=section, staff=staff)
    configuration.write(made.folder, changed)


def test_a_whole_instance_is_ready(made: Instance) -> None:
    office, settings = wiring.load(made.folder)
    wiring.require_ready(office)
    with TestClient(wiring.make_app(office, settings)) as client:
        assert client.get("/formulir").status_code == 200


def test_files_and_folders_are_for_the_owner_only(made: Instance) -> None:
    """Databases, pepper and settings 0600, folders 0700."""
    for path in made.folder.rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == wanted or path.name.endswith(("-wal", "-shm")), (path.name, oct(mode))
    assert (made.folder / "keys" / "pepper").stat().st_size == wiring.PEPPER_SIZE


@pytest.mark.parametrize("missing", ["data/suaka.db", "keys/pepper"])
def test_a_missing_file_is_named(made: Instance, missing: str) -> None:
    """Nothing is made anew in its place: an empty database would look like an empty office."""
    (made.folder / missing).unlink()
    with pytest.raises(NotReady, match=missing.rpartition("/")[2]):
        wiring.load(made.folder)
    assert not (made.folder / missing).exists()


def test_a_lost_runtime_folder_is_made_again(made: Instance) -> None:
    """After a reboot the tmpfs is empty."""
    for path in (made.folder / "run").iterdir():
        path.unlink()
    (made.folder / "run").rmdir()
    office, _ = wiring.load(made.folder)
    wiring.require_ready(office)
    assert stat.S_IMODE((made.folder / "run").stat().st_mode) == 0o700


def test_before_the_ceremony_nothing_is_served(tmp_path: Path) -> None:
    section = InstanceSection(id="a" * 32, name="Contoh", profile="badung", mode="demo")
    instances_cli.create(tmp_path / "new", section, instances.CHEAP)
    office, _ = wiring.load(tmp_path / "new")
    with pytest.raises(NotReady, match="ceremony"):
        wiring.require_ready(office)


def test_another_schema_is_not_served(made: Instance) -> None:
    engine = open_engine(made.database)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'v0000'"))
    engine.dispose()
    office, _ = wiring.load(made.folder)
    with pytest.raises(NotReady, match="migrate"):
        wiring.require_ready(office)


def test_cheap_key_stretching_is_not_served_as_production(made: Instance) -> None:
    """Below the floor, production does not even open its databases."""
    change(made, mode="production")
    with pytest.raises(CostTooLow):
        wiring.load(made.folder)


def test_a_demo_cannot_become_production(tmp_path: Path) -> None:
    """Its genesis says what it is, whatever the settings are edited to."""
    made = instances.make(tmp_path / "demo", reason=wiring.DEMO_REASON, costs=None)
    change(made, mode="production")
    office, _ = wiring.load(made.folder)
    assert office.production
    with pytest.raises(NotReady, match="demo"):
        wiring.require_ready(office)


def test_the_demo_says_so_on_its_pages_and_production_does_not(made: Instance) -> None:
    office, settings = wiring.load(made.folder)
    production = msgspec.structs.replace(settings.instance, mode="production")
    for found, said in (
        (settings, True),
        (msgspec.structs.replace(settings, instance=production), False),
    ):
        with TestClient(wiring.make_app(office, found)) as client:
            for path in ("/", "/formulir", "/masuk", "/petugas/masuk", "/tidak-ada"):
                assert ("Ini instans demo." in client.get(path).text) is said, path


def test_behind_tls_the_cookie_is_host_bound(made: Instance) -> None:
    """`__Host-`, Secure, Strict, and HSTS on every page."""
    office, settings = wiring.load(made.folder)
    web = msgspec.structs.replace(settings.web, tls=True, origins=("https://portal.test",))
    secure: Settings = msgspec.structs.replace(settings, web=web)
    with TestClient(wiring.make_app(office, secure), base_url="https://portal.test") as client:
        fields = {"handle": "operator", "passphrase": made.passphrases["operator"]}
        client.follow_redirects = False
        answer = client.post(
            "/petugas/masuk", data=fields, headers={"origin": "https://portal.test"}
        )
        assert answer.status_code == 303
        cookie = answer.headers.get_list("set-cookie")[0]
        assert cookie.startswith("__Host-petugas=")
        for part in ("Secure", "HttpOnly", "Path=/", "SameSite=strict"):
            assert part in cookie
        assert "Domain" not in cookie
        assert answer.headers["strict-transport-security"]
        other = client.post("/petugas/masuk", data=fields, headers={"origin": "http://portal.test"})
        assert other.status_code == 403


def test_a_second_instance_is_not_made_over_the_first(made: Instance) -> None:
    section = InstanceSection(id="b" * 32, name="Lain", profile="badung", mode="demo")
    before = {path: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()}
    with pytest.raises(FileExistsError):
        instances_cli.create(made.folder, section)
    assert {path: path.read_bytes() for path in before} == before


def test_nothing_secret_shows_when_an_office_is_printed(made: Instance) -> None:
    """Neither the pepper nor what protects sessions stands in a representation."""
    office, settings = wiring.load(made.folder)
    shown = repr(office) + repr(settings) + repr(wiring.make_portal(office, settings))
    assert office.pepper.hex() not in shown
    assert repr(office.pepper) not in shown


def test_another_genesis_in_the_settings_stops_every_page(made: Instance) -> None:
    """The pinned hash decides, not what the database says of itself."""
    office, settings = wiring.load(made.folder)
    other = replace(office, genesis="f" * 64)
    with TestClient(wiring.make_app(other, settings)) as client:
        assert client.get("/formulir").status_code == 503


def test_every_refusal_of_a_start_is_one_of_the_domain(tmp_path: Path) -> None:
    """So that the command line shows one line and no trace."""
    with pytest.raises(CaseworkError):
        wiring.load(tmp_path)
