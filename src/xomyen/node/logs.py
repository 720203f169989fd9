"""Structured logs for every process of a node, without the secrets that may have strayed into a message."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from xomyen.terms.settings import Settings

HIDDEN = "[hidden]"

_SECRET_NAMES = re.compile(
    r"(?i)(pass(word|phrase|wd)?|secret|token|ticket|authorization|cookie|credential|seed|sign_?in_?code|private)"
)
_IN_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    # user:password@ of a URL; greedy, because a careless password may hold an @ itself
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/?#\"']*@"), rf"\1{HIDDEN}@"),
    # header lines and mappings that carry credentials (RFC 9110 §11.6, RFC 6265)
    (
        re.compile(r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|www-authenticate)(\\?[\"']?\s*[:=]\s*)[^\r\n]+"),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer|basic|digest)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    # a ticket (JWT, RFC 7519 §3)
    (re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), HIDDEN),
    (re.compile(r"(/signin#)\S+"), rf"\1{HIDDEN}"),
    # seeds of NATS users
    (re.compile(r"\bS[UAOCN][A-Z2-7]{56}\b"), HIDDEN),
    # also inside an address, as with cameras that want …/user=admin_password=…
    (
        re.compile(r"(?i)(?<![a-z])(password|passwd|pwd|pass|secret)(\\?[\"']?\s*[:=]\s*)(\\?[\"'])?[^\s\"',;&}]+"),
        rf"\1\2{HIDDEN}",
    ),
)


def redact_text(text: str) -> str:
    """The text with every credential it holds replaced."""
    for pattern, instead in _IN_TEXT:
        text = pattern.sub(instead, text)
    return text


def redact(value: Any, name: str = "") -> Any:
    """A log value, without secrets: those with a telling name are hidden whole, texts are searched."""
    if name and value and _SECRET_NAMES.search(name) and not isinstance(value, bool):
        return HIDDEN
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes):
        return redact_text(value.decode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return {key: redact(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item) for item in value]
    if value is None or isinstance(value, int | float):
        return value
    return redact_text(str(value))


def _redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: value if key.startswith("_") else redact(value, key) for key, value in event.items()}


def configure_logs(part: str, settings: Settings) -> None:
    """Sends the logs of this process, structlog's and the standard library's, to standard error."""
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )

    def name_part(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["part"] = part
        return event

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                name_part,
                _redact_event,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for chatty in ("nats", "asyncio", "httpx", "libav"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
