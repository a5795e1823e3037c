"""
The command itself: a group whose subcommands come from plugins and are loaded when they are used.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import attrs
import click
from warpbeam import registry


if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("warpbeam.cli")


@attrs.define
class Commands:
    """
    The subcommands that plugins have registered; see `warpbeam.contracts.CommandRegistry`.
    """

    loaders: dict[str, Callable[[], Any]] = attrs.field(factory=dict)
    helps: dict[str, str] = attrs.field(factory=dict)

    def add(self, name: str, load: Callable[[], Any], help: str = "") -> None:
        """
        Add a subcommand; the first of two that have one name is kept.
        """
        if name in self.loaders:
            _log.warning("a second plugin (%s) offers the command %r; it is passed over", load.__module__, name)
            return
        self.loaders[name] = load
        self.helps[name] = help

    def load(self, name: str) -> click.Command:
        """
        Return a subcommand, imported now.

        Raises:
            click.ClickException: its plugin is broken.
        """
        source = self.loaders[name].__module__
        try:
            command = self.loaders[name]()
        except Exception as error:
            message = f"the command {name!r} of {source} cannot be loaded: {type(error).__name__}: {error}; reinstall its plugin"
            raise click.ClickException(message) from error
        if not isinstance(command, click.Command):
            raise click.ClickException(f"the command {name!r} of {source} is {command!r}, which is no click.Command")
        return command


class PluginGroup(click.Group):
    """
    A group that asks plugins for its subcommands, and imports those that are used only.
    """

    _registered: Commands | None = None

    @property
    def registered(self) -> Commands:
        """
        What plugins have registered; they are asked once.
        """
        if self._registered is None:
            self._registered = Commands()
            registry.hooks().register_commands(self._registered)
        return self._registered

    def list_commands(self, ctx: click.Context) -> list[str]:
        """
        Return the names, sorted.
        """
        del ctx
        return sorted(self.registered.loaders)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """
        Return a subcommand, or None if there is none of that name.
        """
        del ctx
        return self.registered.load(cmd_name) if cmd_name in self.registered.loaders else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """
        Write the list of subcommands without importing them.
        """
        names = self.list_commands(ctx)
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.registered.helps[name]) for name in names])


@click.command(cls=PluginGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="warpbeam-core", message="warpbeam %(version)s")
def main() -> None:
    """
    Run Python functions and shell commands in parallel, from a laptop to a cluster.
    """
