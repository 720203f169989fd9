"""The API itself: how answers are tagged, and how it describes itself."""

import functools
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from xomyen import __version__
from xomyen.centre.api.conditional import tagged
from xomyen.centre.api.problems import MEDIA_TYPE, ProblemSchema, handle_problems
from xomyen.centre.api.repeats import HEADER, LONGEST, handle_repeats

ROOT = "/api/v1/"
_DESCRIPTION = """\
What the pages of the centre do, for programs. Every call wants an access token (`Authorization: Bearer …`), which a
person makes on the page "Access tokens"; it allows what that person's roles allow, within the token's scopes.

Things outside one's units answer 404 like things that are not there. Refusals are problems (RFC 9457) in the language
of `Accept-Language`. Lists come in pages: `next` is the `cursor` of the page after. Answers carry an ETag; changes want
it in `If-Match`. A POST with an `Idempotency-Key` is done once, however often it is sent within a day.
"""
_ERRORS = {
    "400": "The request cannot be read",
    "401": "No usable token",
    "403": "Not allowed, or not in the token's scopes",
    "404": "Not there, or outside one's units",
    "409": "Contradicts what there is",
    "412": "Changed meanwhile",
    "422": "Something is not right",
    "428": "If-Match is missing",
    "429": "Too many requests within a minute",
    "503": "The recorder does not answer",
}


class CentreAPI(NinjaAPI):
    """Answers with ETags; describes its refusals, which every operation has."""

    def create_response(
        self,
        request: HttpRequest,
        data: Any,
        *,
        status: int | None = None,
        temporal_response: HttpResponse | None = None,
    ) -> HttpResponse:
        answer = super().create_response(request, data, status=status, temporal_response=temporal_response)
        return tagged(request, answer) if answer.status_code in (200, 201) else answer

    def get_openapi_operation_id(self, operation: Any) -> str:
        name: str = operation.view_func.__name__
        return name

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        # It is made once: it takes longer than most answers, and anybody may ask for it.
        return self._described if path_prefix in (None, ROOT) else self._describe(path_prefix, path_params)

    @functools.cached_property
    def _described(self) -> OpenAPISchema:
        return self._describe(ROOT, None)

    def _describe(self, path_prefix: str | None, path_params: dict[str, Any] | None) -> OpenAPISchema:
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        problem = ProblemSchema.model_json_schema(ref_template="#/components/schemas/{model}")
        schema["components"]["schemas"] |= problem.pop("$defs", {}) | {"ProblemSchema": problem}
        # All tokens are of one kind; which scope an operation wants stands in its text.
        schema["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        for path, methods in schema["paths"].items():
            for method, operation in methods.items():
                _describe(path, method, operation)
        return schema


def _describe(path: str, method: str, operation: dict[str, Any]) -> None:
    """Adds what every operation of its kind answers and takes."""
    operation["security"] = [{"token": []}]
    changes = method in ("patch", "put", "delete")
    codes = ["401", "403", "429"]
    if method != "get" or "devices" in operation["tags"]:  # a recorder is asked
        codes += ["400", "409", "412", "503"]
    if "{" in path or method == "post":
        codes.append("404")
    if method == "post" or operation.get("parameters") or operation.get("requestBody"):
        codes.append("422")
    if changes:
        codes.append("428")
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemSchema"}}}
    for code in sorted(set(codes)):
        operation["responses"][code] = {"description": _ERRORS[code], "content": content}
    header, longest = {"get": ("If-None-Match", 200), "post": (HEADER, LONGEST)}.get(method, ("If-Match", 200))
    text = {"type": "string", "maxLength": longest}
    operation.setdefault("parameters", []).append({"name": header, "in": "header", "schema": text})
    if method == "get":
        operation["responses"]["304"] = {"description": "As the caller has it already"}
    tag = {"ETag": {"schema": {"type": "string"}}}
    for done in (200, 201):
        if done in operation["responses"]:
            operation["responses"][done]["headers"] = tag


def build() -> CentreAPI:
    """The API without its operations."""
    api = CentreAPI(
        title="Xóm Yên",
        version=__version__,
        description=_DESCRIPTION,
        urls_namespace="api",
        docs_url=None,  # its scripts would come from elsewhere
        openapi_url="/openapi.json",
    )
    handle_problems(api)
    handle_repeats(api)
    return api
