"""`import_units`: the official units of Viet Nam into the database."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from xomyen.centre.organisation.services.imports import import_units
from xomyen.terms.errors import XomyenError


class Command(BaseCommand):
    help = "Bring in the provinces and communes of Viet Nam, those before 1 July 2025, and what became what."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        self.stdout.write("Reading the lists of administrative units …")
        try:
            done = import_units(lambda what, count: self.stdout.write(f"  {count:6} {what} added"))
        except XomyenError as error:
            raise CommandError(error.message) from error
        for conflict in done.conflicts:
            self.stderr.write(f"Left out, another unit has this code at that time: {conflict}")
        self.stdout.write(f"Done: {done.units} units added, {done.kept} were there already.")
