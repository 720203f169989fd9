"""ETags: what was read need not be sent again, and what was changed meanwhile is not overwritten."""

import hashlib
import re
from typing import Any

from django.http import HttpRequest, HttpResponse

from xomyen.centre.api.problems import Problem

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_REVISION = "_revision"


def set_revision(request: HttpRequest, revision: int) -> None:
    """The version that If-Match will name, of what is answered."""
    setattr(request, _REVISION, revision)


def fingerprint(*values: Any) -> int:
    """A number for the version of what has these values and does not count its changes."""
    return int.from_bytes(hashlib.sha256(repr(values).encode("utf-8", "replace")).digest()[:6])


def tagged(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """The answer with its ETag; 304 without a body when the caller has it already.

    Before the dash stands the revision of the thing, which If-Match compares, behind it a hash of all that is shown:
    the state of a camera changes without anybody editing it.
    """
    digest = hashlib.sha256(answer.content).hexdigest()[:24]
    revision = getattr(request, _REVISION, None)
    tag = digest if revision is None else f"{revision}-{digest}"
    answer["ETag"] = f'"{tag}"'
    answer["Cache-Control"] = "private, no-cache" if request.method == "GET" else "no-store"
    wanted = request.headers.get("If-None-Match", "")
    if request.method == "GET" and (wanted.strip() == "*" or tag in _TAG.findall(wanted)):
        unchanged = HttpResponse(status=304)
        unchanged["ETag"] = answer["ETag"]
        unchanged["Cache-Control"] = answer["Cache-Control"]
        del unchanged["Content-Type"]
        return unchanged
    return answer


def require_match(request: HttpRequest, revision: int) -> None:
    """Raises a Problem unless If-Match names the version that is there: 428 without it, 412 with another."""
    wanted = request.headers.get("If-Match", "")
    if not wanted:
        raise Problem(428, "version_missing")
    if wanted.strip() == "*":
        return
    if str(revision) not in [tag.partition("-")[0] for tag in _TAG.findall(wanted)]:
        raise Problem(412, "stale")
