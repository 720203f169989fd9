"""The `xomyen` command."""


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    # Imported here, so that importing one command's module does not load all of them.
    from xomyen.cli.app import run

    run()
