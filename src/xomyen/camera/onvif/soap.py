"""SOAP 1.2 messages of ONVIF as pure functions: requests with a UsernameToken, answers and faults."""

import base64
import hashlib
import re
import secrets
from datetime import UTC, datetime
from xml.sax.saxutils import escape as _escape_text

from xomyen.camera.address import Credentials
from xomyen.camera.errors import CameraFault, RequestRefused, WrongPassword
from xomyen.camera.onvif.errors import ActionNotSupported, NotOnvif
from xomyen.camera.onvif.xml import Element, XmlRefused, one_line, parse
from xomyen.terms.time import NS_PER_SECOND

DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
PTZ = "http://www.onvif.org/ver20/ptz/wsdl"

_ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
_SCHEMA = "http://www.onvif.org/ver10/schema"
_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Subcodes of ONVIF Core Specification §5.8.2, "fault codes", as devices send them.
_UNAUTHORISED = {"NotAuthorized", "FailedAuthentication", "InvalidSecurity", "InvalidSecurityToken"}
_NOT_THERE = {"ActionNotSupported", "NoProfile", "NoPTZProfile", "NoToken", "NoEntity", "PTZNotSupported"}
_NOT_THERE |= {"InvalidArgVal", "NoPreset", "OptionalActionNotImplemented"}


def escape(text: str) -> str:
    """Text as it may stand inside an element or a quoted attribute."""
    return _escape_text(_NOT_IN_XML.sub("", text), {'"': "&quot;"})


def envelope(service: str, body: str, token: str = "") -> bytes:
    """A request; `body` is XML with the service's elements unprefixed and the schema's as ``tt:``."""
    header = f"<s:Header>{token}</s:Header>" if token else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{_ENVELOPE}" xmlns:tt="{_SCHEMA}">{header}'
        f'<s:Body xmlns="{service}">{body}</s:Body></s:Envelope>'
    ).encode()


def username_token(credentials: Credentials, device_wall_ns: int, nonce: bytes | None = None) -> str:
    """The security header with a digest of the password (WS-Security UsernameToken Profile 1.0 §3.1).

    `device_wall_ns` is the time by the device's own clock: devices refuse tokens that are not fresh by it.
    """
    nonce = nonce if nonce is not None else secrets.token_bytes(16)
    created = f"{datetime.fromtimestamp(device_wall_ns // NS_PER_SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"
    # The profile fixes SHA-1; it guards the password on the way, nothing else is built on it.
    digest = hashlib.sha1(nonce + created.encode() + credentials.password.encode(), usedforsecurity=False).digest()
    return (
        f'<w:Security s:mustUnderstand="1" xmlns:w="{_WSS}-wssecurity-secext-1.0.xsd">'
        f"<w:UsernameToken><w:Username>{escape(credentials.user)}</w:Username>"
        f'<w:Password Type="{_WSS}-username-token-profile-1.0#PasswordDigest">{_base64(digest)}</w:Password>'
        f'<w:Nonce EncodingType="{_WSS}-soap-message-security-1.0#Base64Binary">{_base64(nonce)}</w:Nonce>'
        f'<c:Created xmlns:c="{_WSS}-wssecurity-utility-1.0.xsd">{created}</c:Created></w:UsernameToken></w:Security>'
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def read_answer(data: bytes, action: str, place: str) -> Element:
    """The ``…Response`` element of an answer to `action`; `place` is for messages.

    Raises the fault the device answered, or NotOnvif for what is no answer to the question.
    """
    try:
        root = parse(data)
    except XmlRefused as error:
        raise NotOnvif(f"{place} answers with what is no ONVIF: {error}.") from error
    body = root.first("Body") if root.name == "Envelope" else None
    if body is None:
        raise NotOnvif(f"{place} answers with what is no ONVIF.")
    fault = body.first("Fault")
    if fault is not None:
        raise fault_of(fault, action, place)
    answer = body.first(f"{action}Response")
    if answer is None:
        raise NotOnvif(f"{place} answers something else than was asked ({action}).")
    return answer


def fault_of(fault: Element, action: str, place: str) -> CameraFault:
    """The error that a SOAP fault (1.2, or 1.1 from old devices) stands for."""
    codes = {
        one_line(element.content).rpartition(":")[2]
        for element in fault.walk()
        if element.name in ("Value", "faultcode")
    }
    reason = fault.text("Reason", "Text") or fault.text("faultstring") or "no reason given"
    if codes & _UNAUTHORISED or "not authorized" in reason.lower():
        return WrongPassword(f"{place} refuses the user or the password, or this user may not do it.")
    if codes & _NOT_THERE:
        return ActionNotSupported(f"{place} cannot do this ({action}): {reason}.")
    return RequestRefused(f"{place} refuses ({action}): {reason}.")
