"""portal.settings: a wrong setting is refused by name; what is written reads the same."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.note import Kind, NoteSigner
from portal import settings
from portal.settings import InstanceSection, LimitSection, Settings, SettingsError, WebSection

BASE = """
[instance]
id = "0123456789abcdef0123456789abcdef"
name = "Inspektorat Contoh"
profile = "badung"
mode = "production"
"""


WITNESS = NoteSigner("saksi.example", Kind.WITNESS, bytes(32)).key.to_text()


def load(folder: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    (folder / settings.FILE_NAME).write_text(text, encoding="utf-8")
    return settings.load(folder, environ or {})


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    found = load(tmp_path, BASE)
    assert found.web.port == 8000
    assert found.production
    assert not found.web.no_addresses
    assert not found.scan.socket
    assert found.costs.passphrase == "argon2id:m=65536,t=3,p=4"
    assert found.costs.secret_key == "argon2id:m=19456,t=2,p=1"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (BASE + "[web]\nprot = 1\n", "prot"),
        (BASE + "[wep]\nport = 1\n", "wep"),
        (BASE + "[web]\nport = 0\n", "web.port"),
        (BASE + "[web]\nport = '80'\n", "web.port"),
        (BASE + "[web]\ntls = 1\n", "web.tls"),
        (BASE + "[web]\ntls = true\n", "web.origins"),
        (BASE + "[scan]\nsocket = 'clamd.ctl'\n", "scan.socket"),
        (BASE + "[scan]\nsocket = '192.0.2.7:3310'\n", "scan.socket"),
        (BASE + "[scan]\nsocket = true\n", "scan.socket"),
        (BASE + "[scan]\npath = '/run/clamav/clamd.ctl'\n", "path"),
        (BASE + "[log]\nleaves = 300\n", "log.leaves"),
        (BASE + "[log]\nwitnesses = ['kunci']\n", "log.witnesses"),
        (BASE + "[log]\nproxy = 'socks5://127.0.0.1:9050'\n", "log.proxy"),
        (BASE + f"[log]\nwitnesses = ['{WITNESS} http://a.onion']\n", "log.proxy is needed"),
        (BASE + "[costs]\npassphrase = 'scrypt'\n", "suaka.toml"),
        (BASE + "[limits]\nkdf_at_once = 0\n", "limits.kdf_at_once"),
        (BASE + "[limits]\nunknown_at_once = 0\n", "limits.unknown_at_once"),
        (BASE + "[limits]\nunknown_tries = 0\n", "limits.unknown_tries"),
        (BASE + "[limits]\ndevice_tries = 0\n", "limits.device_tries"),
        (BASE.replace("production", "testing"), "instance.mode"),
        (BASE.replace("0123456789abcdef0", "X"), "instance.id"),
        (BASE.replace('name = "Inspektorat Contoh"', ""), "name"),
        (BASE.replace("Inspektorat Contoh", ""), "instance.name"),
        ("[instance", "suaka.toml"),
        ("", "instance"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(tmp_path: Path, text: str, named: str) -> None:
    """The message names file and setting, so that an operator finds the line."""
    with pytest.raises(SettingsError, match=r"suaka\.toml") as refused:
        load(tmp_path, text)
    assert named in str(refused.value)


def test_a_missing_file_and_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not found"):
        settings.load(tmp_path, {})
    (tmp_path / settings.FILE_NAME).write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"suaka\.toml"):
        settings.load(tmp_path, {})


def test_the_environment_replaces_the_file(tmp_path: Path) -> None:
    """Numbers, truth values and lists are read from text; other variables are not ours."""
    environ = {
        "SUAKA_WEB_PORT": "9000",
        "SUAKA_WEB_NO_ADDRESSES": "true",
        "SUAKA_WEB_ORIGINS": "https://a.test https://b.test",
        "SUAKA_LIMITS_KDF_AT_ONCE": "3",
        "SUAKA_SCAN_SOCKET": "/run/clamav/clamd.ctl",
        "HOME": "/tmp",
    }
    found = load(tmp_path, BASE + "[web]\nport = 1000\n", environ)
    assert found.web.port == 9000
    assert found.web.no_addresses
    assert found.web.origins == ("https://a.test", "https://b.test")
    assert found.limits.kdf_at_once == 3
    assert found.scan.socket == "/run/clamav/clamd.ctl"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SUAKA_WEB_PROT", "1"),
        ("SUAKA_WEP_PORT", "1"),
        ("SUAKA_", ""),
        ("SUAKA_WEB", "x"),
        ("SUAKA_WEB_PORT", "delapan"),
        ("SUAKA_WEB_PORT", "70000"),
        ("SUAKA_WEB_TLS", "mungkin"),
    ],
)
def test_a_wrong_variable_is_refused_by_name(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        load(tmp_path, BASE, {variable: value})


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=160)


@given(
    name=NAMES,
    away=NAMES,
    port=st.integers(1, 65535),
    origins=st.lists(st.sampled_from(["https://a.test", "https://b.test"]), max_size=2),
    genesis=st.none() | st.just("a" * 64),
)
def test_what_is_written_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    name: str,
    away: str,
    port: int,
    origins: list[str],
    genesis: str | None,
) -> None:
    """Every value that the settings can hold survives the file, whatever is in its text."""
    folder = tmp_path_factory.mktemp("written")
    written = Settings(
        instance=InstanceSection(
            id="a" * 32, name=name, profile="badung", mode="demo", genesis=genesis
        ),
        web=WebSection(port=port, origins=tuple(origins), away_label=away),
        limits=LimitSection(report_burst=7, unknown_tries=8, device_tries=9),
    )
    settings.write(folder, written)
    assert settings.load(folder, {}) == written
    mode = (folder / settings.FILE_NAME).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert [entry.name for entry in folder.iterdir()] == [settings.FILE_NAME]
