"""A command that has commands below it, and does something by itself as well."""

from __future__ import annotations

import click


class WithDefault(click.Group):
    """A group that takes arguments of its default command, unless they begin with another's name.

    ``suaka backup FOLDER …`` is ``suaka backup make FOLDER …``. A folder that is named like a
    command is written ``./key``.
    """

    default = ""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command's name first where no command is named."""
        if not args or args[0] not in self.commands:
            args = [self.default, *args]
        return super().parse_args(ctx, args)
