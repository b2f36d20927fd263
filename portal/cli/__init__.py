"""The command ``suaka``: everything that is done on the machine itself, not in a browser."""

from __future__ import annotations

import sys

import click

from casework.errors import CaseworkError, InvalidInput
from crypto.errors import CryptoError
from portal.cli import calendar, ceremony, checkup, demo, instance, people, running


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="suaka")
def cli() -> None:
    """Suaka, the whistleblowing portal of a regional inspectorate."""


for command in (
    ceremony.ceremony,
    instance.init,
    instance.migrate,
    people.enrol_command,
    people.approve,
    running.serve,
    running.tick,
    checkup.doctor,
    calendar.holidays,
    demo.demo,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line; a refusal is one line on standard error, never a trace."""
    try:
        cli()
    except InvalidInput as refused:
        for name, key in refused.errors.items():
            click.echo(f"suaka: {name}: {key}", err=True)
        sys.exit(1)
    except (CaseworkError, CryptoError) as refused:
        click.echo(f"suaka: {type(refused).__name__}: {refused}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
