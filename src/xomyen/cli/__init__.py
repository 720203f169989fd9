"""The `xomyen` command (Typer): one module per group of commands."""
