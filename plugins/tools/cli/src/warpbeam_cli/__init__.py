"""
The ``warpbeam`` command.

Its subcommands, ours and those of other plugins, come from the hook ``warpbeam_register_commands``, and what ``warpbeam doctor``
looks at from ``warpbeam_register_checks``.
"""
