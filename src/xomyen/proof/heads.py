"""Heads of the chains of seals, kept apart from the footage: by them a cut-off end or a lost segment is found."""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xomyen.proof.keys import PublicKey, SigningKey
from xomyen.proof.manifest import KeyRecord, Manifest, parse_signature
from xomyen.proof.report import Finding, Verdict
from xomyen.proof.seal import Statement, canonical_json
from xomyen.terms.errors import XomyenError
from xomyen.terms.time import NS_PER_SECOND, format_utc
from xomyen.terms.words import StreamName

SIGNED_PREFIX = b"xomyen-heads-v1\n"
LARGEST = 256 << 20  # bytes; a day of 25 cameras takes about 20 MB

_Id = Annotated[str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Number = Annotated[int, Field(ge=-(2**62), le=2**63 - 1, strict=True)]

_LONGEST_PICTURE_NS = 5 * NS_PER_SECOND
"""A segment that began before the range may end with a picture that stood before it, and still reach into it."""


class InvalidHeads(XomyenError):
    """A file that holds no heads, or one that was changed."""

    code = "invalid_heads"
    exit_code = 13


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Head(_Model):
    """Where a chain stood when one segment was sealed."""

    sequence: _Number
    segment: _Id
    seal: _Hash  # SHA-256 of the final statement
    start_ns: _Number  # of the segment's pictures
    end_ns: _Number
    told_ns: _Number  # when the event stream got it


class ChainHeads(_Model):
    """Every head of one chain that the event stream has for a time range."""

    camera: _Id
    stream: StreamName
    from_ns: _Number
    to_ns: _Number  # nothing can be said of what was sealed for later pictures
    heads: tuple[Head, ...]


class Heads(_Model):
    """What a node says of its chains; signed as `Heads.sign` does."""

    format: Literal["xomyen-heads"] = "xomyen-heads"
    version: Literal[1] = 1
    node: _Id
    made_ns: _Number
    key: KeyRecord
    chains: tuple[ChainHeads, ...]

    def sign(self, key: SigningKey) -> bytes:
        """The file: canonical JSON, a line feed, the signature over prefix and JSON in hex, a line feed."""
        encoded = canonical_json(self.model_dump(mode="json"))
        return encoded + b"\n" + key.sign(SIGNED_PREFIX + encoded).hex().encode() + b"\n"

    @classmethod
    def load(cls, path: Path) -> "Heads":
        """The heads of a file, whose signature fits the key they name. Raises InvalidHeads."""
        try:
            if path.stat().st_size > LARGEST:
                raise InvalidHeads(f"{path} is too large to hold heads.")
            encoded, _, signature = path.read_bytes().partition(b"\n")
        except OSError as error:
            raise InvalidHeads(f"{path} cannot be read: {error.strerror}.") from error
        try:
            heads = cls.model_validate_json(encoded)
            canonical = canonical_json(heads.model_dump(mode="json")) == encoded
        except (ValidationError, ValueError, RecursionError) as error:
            raise InvalidHeads(f"{path} holds no heads as `xomyen heads` writes them.") from error
        key = PublicKey(bytes.fromhex(heads.key.public))
        signed = parse_signature(signature)
        if key.fingerprint != heads.key.fingerprint or not canonical or signed is None:
            raise InvalidHeads(f"{path} was changed: it is not as `xomyen heads` wrote it.")
        if not key.verify(SIGNED_PREFIX + encoded, signed):
            raise InvalidHeads(f"{path} was changed: its signature does not fit.")
        return heads

    def chain(self, camera: str, stream: StreamName) -> ChainHeads | None:
        return next((one for one in self.chains if (one.camera, one.stream) == (camera, stream)), None)


def compare(heads: Heads, manifest: Manifest, statements: Iterable[Statement], file: str) -> list[Finding]:
    """What an export lacks of the segments that the node told of, or has otherwise. `file` names the heads."""
    chain = heads.chain(manifest.camera, manifest.stream)
    if heads.node != manifest.node or chain is None:
        return []
    by_segment = {statement.segment: statement for statement in statements}
    by_sequence = {statement.sequence: statement for statement in by_segment.values()}
    found = []
    for head in chain.heads:
        text = _difference(head, by_segment.get(head.segment), by_sequence.get(head.sequence), manifest)
        if text is not None:
            found.append(Finding(*text, file, camera=manifest.camera, segment=head.segment))
    return found


def _difference(
    head: Head, same: Statement | None, in_its_place: Statement | None, manifest: Manifest
) -> tuple[Verdict, str] | None:
    if same is None:
        if in_its_place is not None:
            return Verdict.ALTERED, (
                f"The node told of segment {head.segment} as number {head.sequence} of the chain, "
                f"the export has segment {in_its_place.segment} in its place."
            )
        if _belongs(head, manifest):
            times = f"{format_utc(head.start_ns)} to {format_utc(head.end_ns)}"
            return Verdict.INCOMPLETE, (
                f"The node sealed segment number {head.sequence}, {times}, which the export asked for and does not "
                "have: it was removed, lost, or deleted when its time was over."
            )
        return None
    if same.final:
        if same.hash().hex() == head.seal:
            return None
        return Verdict.ALTERED, "The segment's seal is not the one that the node told of when it was made."
    ended = same.end_ns < min(head.end_ns, manifest.asked_to_ns)
    if ended and head.told_ns < manifest.created_ns:
        return Verdict.INCOMPLETE, (
            f"The node had sealed the segment up to {format_utc(head.end_ns)} before the export, "
            f"which knows it up to {format_utc(same.end_ns)} only."
        )
    return None


def _belongs(head: Head, manifest: Manifest) -> bool:
    """Whether the segment has pictures of the range for certain, and had them when the export was made."""
    begins_inside = manifest.asked_from_ns <= head.start_ns < manifest.asked_to_ns
    reaches_in = head.start_ns < manifest.asked_from_ns and head.end_ns - manifest.asked_from_ns > _LONGEST_PICTURE_NS
    return (begins_inside or reaches_in) and head.told_ns < manifest.created_ns


def beyond(heads: Heads, manifest: Manifest) -> str | None:
    """The part of the asked range of which the heads say nothing, in words; None: they cover it."""
    chain = heads.chain(manifest.camera, manifest.stream)
    if heads.node != manifest.node or chain is None:
        return "the heads given are not of this camera and stream"
    parts = []
    if chain.from_ns > manifest.asked_from_ns:
        parts.append(f"before {format_utc(chain.from_ns)}")
    if chain.to_ns < manifest.asked_to_ns:
        parts.append(f"after {format_utc(chain.to_ns)}")
    return f"the heads given say nothing of the time {' and '.join(parts)}" if parts else None


def untold(heads: Heads, manifest: Manifest, statements: Iterable[Statement]) -> str | None:
    """Numbers between those told of that neither heads nor export know, in words; None: there are none.

    A segment that never became a file leaves such a number, and one whose disk was full until after the heads.
    """
    chain = heads.chain(manifest.camera, manifest.stream)
    if heads.node != manifest.node or chain is None:
        return None
    known = {statement.sequence for statement in statements}
    for before, here in pairwise(sorted(chain.heads, key=lambda head: head.sequence)):
        between = range(before.sequence + 1, here.sequence)
        inside = before.end_ns < manifest.asked_to_ns and here.start_ns > manifest.asked_from_ns
        if inside and not known.issuperset(between):
            return f"the heads given tell of nothing between numbers {before.sequence} and {here.sequence} of the chain"
    return None
