"""A segment whose file the disk failed: what was promised of it is read again, compared, and sealed."""

import errno
import os

from xomyen.proof.keys import SigningKey
from xomyen.recording.disk import Disk, write_all
from xomyen.recording.open_segment import OpenSegment, Written
from xomyen.recording.recovered_file import fragment_job, hash_part
from xomyen.recording.segment_file import SegmentFileError, read_segment
from xomyen.terms.words import SegmentState


def mend(segment: OpenSegment, disk: Disk, key: SigningKey) -> OpenSegment:
    """The segment as far as it can be trusted: synced, sealed as `recovered`, open for its row to be committed.

    Bytes that do not have the hash they were written with any more are cut off with all that follow. Raises OSError
    when the disk still fails; then nothing is sealed and it may be tried again.
    """
    promised = segment.promised
    if promised is None:
        raise ValueError("nothing was promised of the segment")
    mended = OpenSegment(
        *(segment.note, segment.run, segment.node, segment.volume, segment.path, segment.relative, segment.header),
        segment.chain,
        late=segment.late,
    )
    descriptor = disk.open(segment.path)
    try:
        _take_what_stands(segment, promised, mended, descriptor, disk)
        disk.sync_file(descriptor)
        statement, box = mended.seal(key, SegmentState.RECOVERED, final=True)
        try:
            write_all(disk, descriptor, box, segment.path)
            disk.sync_file(descriptor)
        except OSError:
            mended.chain.withdraw(statement)
            raise
    except BaseException:
        disk.close(descriptor)
        raise
    mended.descriptor = descriptor
    mended.final = statement
    mended.promised = promised
    mended.indexed = True
    mended.broken = segment.broken
    mended.missed_until_ns = max(
        segment.missed_until_ns, segment.written.timing.end_ns if segment.written is not None else 0
    )
    return mended


def _take_what_stands(
    segment: OpenSegment, promised: Written, mended: OpenSegment, descriptor: int, disk: Disk
) -> None:
    try:
        file = read_segment(segment.path, upto=promised.bytes)
        timing = promised.timing
        for fragment, leaf in zip(file.fragments, segment.leaves[1:], strict=False):
            if hash_part(descriptor, fragment.offset, fragment.size) != leaf:
                break
            mended.add(fragment_job(mended, fragment, timing), leaf)
    except SegmentFileError as error:
        raise OSError(errno.EIO, f"it cannot be read: {error}", segment.path) from error
    if not mended.sizes:
        raise OSError(errno.EIO, os.strerror(errno.EIO), segment.path)
    count = len(mended.sizes)
    # Checkpoint seals that follow the last fragment that stands are promised too.
    whole = count == promised.fragments
    last = file.fragments[count - 1]
    disk.truncate(descriptor, promised.file_size if whole else last.offset + last.size)
