"""What a segment's file says of itself in its header, so that a file without an index row can be adopted."""

import json
from dataclasses import asdict, dataclass, fields

from xomyen.terms.ids import is_id
from xomyen.terms.words import StreamName


class NoteError(ValueError):
    """Bytes that are no segment note."""


@dataclass(frozen=True, slots=True)
class SegmentNote:
    """Known when the file is begun; the seal says the rest."""

    camera: str
    stream: StreamName
    run: str
    segment: str
    sequence: int
    start_ns: int  # wall time of presentation time `start_ticks`, as far as known at the start
    start_ticks: int
    codec_string: str

    def encode(self) -> bytes:
        """JSON with its version."""
        return json.dumps({"version": 1, **asdict(self)}, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, data: bytes) -> "SegmentNote":
        """Reads a note. Raises NoteError."""
        try:
            value = json.loads(data)
            found = {field.name: value[field.name] for field in fields(cls)}
            found["stream"] = StreamName(found["stream"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise NoteError("the segment's note cannot be read") from error
        numbers = [found[name] for name in ("sequence", "start_ns", "start_ticks")]
        texts = [found[name] for name in ("camera", "run", "segment")]
        if not all(type(number) is int and abs(number) < 1 << 63 for number in numbers):
            raise NoteError("a number of the segment's note is none")
        if not all(type(text) is str and is_id(text) for text in texts) or type(found["codec_string"]) is not str:
            raise NoteError("an id of the segment's note is none")
        return cls(**found)
