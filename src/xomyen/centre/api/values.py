"""Values that several operations take."""

import datetime
import uuid
from typing import Annotated

from ninja import Schema
from pydantic import ConfigDict, Field

_ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
_NAME = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
ShortName = Annotated[str, Field(min_length=1, max_length=60, pattern=_NAME)]
Name = Annotated[str, Field(min_length=1, max_length=120, pattern=_NAME)]
LongName = Annotated[str, Field(min_length=1, max_length=160, pattern=_NAME)]
TypeName = Annotated[str, Field(min_length=1, max_length=40, pattern=_NAME)]  # Xã, Phường, Thôn
Code = Annotated[str, Field(max_length=20, pattern=r"^[0-9A-Z.-]*$")]
Sought = Annotated[str, Field(max_length=100, pattern=_ONE_LINE)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Day = Annotated[datetime.date, Field(ge=datetime.date(1900, 1, 1), lt=datetime.date(2200, 1, 1))]


class Closed(Schema):
    """A body in which nothing else may stand."""

    model_config = ConfigDict(extra="forbid")


class Based(Closed):
    """From which day a change is in force, and on which document it rests."""

    day: Day | None = None  # today
    document: uuid.UUID | None = None  # of the unit or of one above it
    basis: Annotated[str, Field(max_length=200, pattern=_ONE_LINE)] = ""  # if the document is not in the register


class Ending(Closed):
    valid_to: Day  # the first day on which it holds no more
