"""The grants by which a paired screen keeps its wall running while the centre is out of reach."""

from typing import Annotated, Literal

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_POST
from pydantic import BaseModel, ConfigDict, Field

from xomyen.access.device_proof import thumbprint
from xomyen.access.errors import ProofInvalid
from xomyen.centre.accounts.models import PairedScreen
from xomyen.centre.accounts.screens import keep_key
from xomyen.centre.watch import services
from xomyen.centre.watch.tickets import Use, Wish, give
from xomyen.centre.watch.views.asking import Unreadable, for_scripts, read, told
from xomyen.centre.watch.views.tickets import document

_Coordinate = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


class _Key(BaseModel):
    model_config = ConfigDict(extra="ignore")  # browsers add what the key may be used for
    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: _Coordinate
    y: _Coordinate


class _Ask(BaseModel):
    model_config = ConfigDict(extra="forbid")
    key: _Key


@require_GET
def worker(request: HttpRequest) -> FileResponse:
    """The script that opens the kept page of the wall (`web/src/centre/watch/kept-page.ts`), for screens alone."""
    if not isinstance(request.user, PairedScreen):
        raise Http404
    return FileResponse((settings.BUILT / "screen-worker.mjs").open("rb"), content_type="text/javascript")


@require_POST
@for_scripts
def grants(request: HttpRequest) -> HttpResponse:
    """For the screen's own public key (JWK): what its nodes may show it for some days. Others have none to ask for."""
    screen = request.user
    if not isinstance(screen, PairedScreen):
        raise Http404
    try:
        key = thumbprint(read(request, _Ask).key.model_dump())
    except ProofInvalid as error:
        raise Unreadable("bad_request", "key: not a public key on the curve P-256") from error
    # An end reaches what is issued in the same second: the page asks again.
    ended = keep_key(screen, key)
    rows = services.for_tickets(services.watched(screen))
    rows = rows.none() if ended else rows[: services.MOST_ON_A_WALL]
    given = give(screen, rows, Wish(Use.LIVE, device_key=key))
    return told(document(given, request.get_host()))
