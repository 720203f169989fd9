"""The manifest of an export: what its clips were taken from, in a form that the node signs."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from xomyen.proof.keys import SIGNATURE_BYTES, PublicKey, SigningKey
from xomyen.proof.seal import canonical_json
from xomyen.terms.words import GapReason, StreamName

MANIFEST_NAME = "manifest.json"
SIGNATURE_NAME = "manifest.sig"
SIGNED_PREFIX = b"xomyen-manifest-v1\n"
LARGEST_CLIP_HEADER = 256 << 20  # bytes; a day of 25 pictures a second takes about 45 MB
LARGEST_MANIFEST = 256 << 20  # bytes; an hour of a watched camera takes about 5 MB

_Id = Annotated[str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Count = Annotated[int, Field(ge=0, le=2**62, strict=True)]
_Ns = Annotated[int, Field(ge=-(2**62), le=2**63 - 1, strict=True)]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.mp4$")]


class InvalidManifest(ValueError):
    """Bytes that are no manifest in the form of docs/evidence.md."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SealRecord(_Model):
    """A segment's seal: the statement's very bytes as text, and the signature over them."""

    statement: Annotated[str, Field(max_length=65_536)]
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class SegmentRecord(_Model):
    """The fragments of one segment that lie in a clip, and what ties them to the segment's seal."""

    seal: SealRecord
    header: Annotated[str, Field(pattern=r"^([0-9a-f]{2})*$", max_length=2 << 20)]  # hex; leaf 0
    first: _Count  # number of the first fragment taken, from 0
    offset: _Count  # of its first byte in the clip
    sizes: Annotated[tuple[_Count, ...], Field(min_length=1)]  # bytes of each fragment; they follow one another
    leaves: tuple[_Hash, ...]  # leaf hash of each of them
    path: tuple[_Hash, ...]  # audit path, see xomyen.proof.tree.audit_path


class ClipRecord(_Model):
    """One clip: the pictures of one run."""

    file: FileName
    bytes: _Count
    sha256: _Hash
    header_bytes: Annotated[int, Field(ge=0, le=LARGEST_CLIP_HEADER, strict=True)]  # before the first fragment
    header_sha256: _Hash
    run: _Id
    frames: _Count  # pictures shown
    first_ns: _Ns  # presentation time of the first picture shown
    last_ns: _Ns  # of the last
    end_ns: _Ns
    segments: Annotated[tuple[SegmentRecord, ...], Field(min_length=1)]


class GapRecord(_Model):
    """A stretch that was not recorded, and why."""

    from_ns: _Ns
    to_ns: _Ns | None  # None: it still lasted
    reason: GapReason
    detail: Annotated[str, Field(max_length=2000)]


class KeyRecord(_Model):
    """The key that signed. It proves nothing by standing here: trust comes from elsewhere."""

    fingerprint: _Hash
    public: _Hash  # 32 raw bytes, hex


class TakenRecord(_Model):
    """Who took the export and what for, as the ticket said that it was taken with; ids, no names of people."""

    subject: Annotated[str, Field(min_length=1, max_length=200)]  # whom the ticket was issued to
    purpose: Annotated[str, Field(max_length=500)] = ""
    ticket: _Id | None = None  # None: taken at the node's own command line, without one
    issuer: _Hash | None = None  # fingerprint of the key that issued it
    issued_ns: _Ns | None = None


class Manifest(_Model):
    """Everything an export says of itself; docs/evidence.md describes it for other verifiers.

    Version 1 does not say who took it.
    """

    format: Literal["xomyen-export"] = "xomyen-export"
    version: Literal[1, 2] = 1
    software: Annotated[str, Field(max_length=100)]
    created_ns: _Ns
    node: _Id
    camera: _Id
    camera_name: Annotated[str, Field(max_length=200)]
    stream: StreamName
    asked_from_ns: _Ns
    asked_to_ns: _Ns
    key: KeyRecord
    gaps: tuple[GapRecord, ...]
    taken: TakenRecord | None = None
    clips: Annotated[tuple[ClipRecord, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _says_who_took_it(self) -> Self:
        if (self.taken is None) != (self.version == 1):
            raise ValueError("version 2 says who took it, and version 1 does not")
        return self

    def encode(self) -> bytes:
        """The canonical JSON that is signed."""
        return canonical_json(self.model_dump(mode="json", exclude={"taken"} if self.version == 1 else None))

    @classmethod
    def decode(cls, encoded: bytes) -> "Manifest":
        """Reads a manifest. Raises InvalidManifest for anything that `encode` would not have written."""
        try:
            manifest = cls.model_validate_json(encoded)
            canonical = manifest.encode() == encoded
        except (ValidationError, ValueError, RecursionError) as error:
            raise InvalidManifest(_first_line(error)) from error
        if not canonical:
            raise InvalidManifest("it is not in its canonical form")
        return manifest


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
    return str(error).splitlines()[0] if str(error) else "it cannot be read"


def sign_manifest(manifest: Manifest, key: SigningKey) -> tuple[bytes, bytes]:
    """The bytes of manifest.json and of manifest.sig. Raises ValueError when the manifest names another key."""
    if manifest.key != key_record(key.public):
        raise ValueError("the manifest names another key")
    encoded = manifest.encode()
    return encoded, key.sign(SIGNED_PREFIX + encoded).hex().encode() + b"\n"


def key_record(key: PublicKey) -> KeyRecord:
    """How a manifest names its key."""
    return KeyRecord(fingerprint=key.fingerprint, public=key.raw.hex())


def parse_signature(text: bytes) -> bytes | None:
    """The signature in the bytes of a manifest.sig; None when they are anything else than `sign_manifest` writes."""
    if len(text) != 2 * SIGNATURE_BYTES + 1:
        return None
    try:
        signature = bytes.fromhex(text[:-1].decode("ascii"))
    except ValueError:
        return None
    return signature if signature.hex().encode() + b"\n" == text else None
