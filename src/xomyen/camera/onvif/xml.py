"""XML from strangers: read within bounds, without document types and entities; names without their namespaces.

Devices disagree about prefixes and versions of namespaces, and no two elements that are read here differ by
namespace alone, so that local names say enough.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

MOST_BYTES = 512 * 1024
"""An NVR with 64 channels answers about 300 KiB when asked for its profiles."""
_MOST_ELEMENTS = 20_000
_MOST_DEPTH = 48
_MOST_TEXT = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class XmlRefused(ValueError):
    """No XML, or XML that a device has no reason to send."""


@dataclass(slots=True)
class Element:
    """An element with the local names of itself and its attributes."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    content: str = ""

    def all(self, name: str) -> list["Element"]:
        """The children of this name."""
        return [child for child in self.children if child.name == name]

    def first(self, *path: str) -> "Element | None":
        """The element at the end of a path of names, taking the first child of each."""
        at: Element | None = self
        for name in path:
            at = next((child for child in at.children if child.name == name), None) if at is not None else None
        return at

    def text(self, *path: str) -> str:
        """The text at the end of a path; empty when there is none. On one line, no longer than is sensible."""
        at = self.first(*path)
        return one_line(at.content) if at is not None else ""

    def walk(self) -> Iterator["Element"]:
        """This element and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def one_line(text: str) -> str:
    """Foreign text as it may be shown and kept: without control characters, cut at a bound."""
    return _CONTROL.sub(" ", text).strip()[:_MOST_TEXT]


def parse(data: bytes) -> Element:
    """The root element. Raises XmlRefused for what is no XML, is too large or deep, or declares a document type."""
    if len(data) > MOST_BYTES:
        raise XmlRefused(f"more than {MOST_BYTES} bytes")
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    # Without a document type there are no entities to declare, and none to fetch or to multiply.
    parser.StartDoctypeDeclHandler = builder.refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise XmlRefused(str(error)) from error
    if builder.root is None:
        raise XmlRefused("no element")
    return builder.root


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0

    def refuse(self, *_declaration: object) -> None:
        raise XmlRefused("a document type")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > _MOST_ELEMENTS or len(self._open) >= _MOST_DEPTH:
            raise XmlRefused("too many elements, or too deep")
        element = Element(_local(name), {_local(key): value for key, value in attributes.items()})
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop()

    def text(self, text: str) -> None:
        element = self._open[-1]
        if len(element.content) <= _MOST_TEXT:
            element.content += text


def _local(name: str) -> str:
    return name.rpartition("}")[2]
