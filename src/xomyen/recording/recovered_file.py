"""What a segment's file tells without its row: hashes, run, times."""

import os

from xomyen.proof.seal import Seal
from xomyen.proof.tree import leaf_hash, leaf_hasher, root
from xomyen.recording.mp4 import codec_of
from xomyen.recording.open_segment import FragmentJob, OpenSegment, Timing
from xomyen.recording.rows import Run, Segment
from xomyen.recording.segment_file import Fragment, SegmentFile, SegmentFileError
from xomyen.recording.segment_note import SegmentNote
from xomyen.terms.time import ticks_to_ns
from xomyen.terms.words import ClockState

_CHUNK = 1 << 20


def hash_part(descriptor: int, offset: int, size: int) -> bytes:
    """The leaf hash of a part of a file, read in pieces. Raises SegmentFileError when the file ends before."""
    state = leaf_hasher()
    end = offset + size
    while offset < end:
        data = os.pread(descriptor, min(_CHUNK, end - offset), offset)
        if not data:
            raise SegmentFileError(f"The file ends at byte {offset}, before byte {end}.")
        state.update(data)
        offset += len(data)
    return state.digest()


def hashes_match(file: SegmentFile, seal: Seal) -> bool:
    """Whether every byte is the one that was sealed."""
    leaves = [leaf_hash(file.header_bytes)]
    descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        leaves += [hash_part(descriptor, fragment.offset, fragment.size) for fragment in file.fragments]
    except SegmentFileError:
        return False
    finally:
        os.close(descriptor)
    return leaves[1:] == [row.leaf for row in seal.rows] and root(leaves).hex() == seal.statement.root


def fragment_job(segment: OpenSegment, fragment: Fragment, timing: Timing) -> FragmentJob:
    return FragmentJob(
        segment,
        [],
        fragment.size,
        fragment.first_dts,
        fragment.first_dts + fragment.duration,
        fragment.samples,
        fragment.key,
        timing,
        timing.start_ns,
        [],
        False,
    )


def recovered_timing(note: SegmentNote, file: SegmentFile, row: Segment | None) -> Timing:
    """What is known of the segment's time: its row's mapping carried on, or its header's start."""
    media_ns = ticks_to_ns(file.end_dts - file.first_dts)
    start_ns, end_ns = note.start_ns, note.start_ns + media_ns
    if row is not None:
        start_ns = row.start_ns
        row_media_ns = ticks_to_ns(row.end_dts - row.first_dts)
        # The row's mapping is the newest that was measured; beyond it media time counts as it is.
        end_ns = row.end_ns + media_ns - row_media_ns
    return Timing(
        start_ns=start_ns,
        start_ticks=note.start_ticks,
        end_ns=max(end_ns, start_ns + 1),
        end_ticks=note.start_ticks + max(1, file.end_dts - file.first_dts),
        clock_state=row.clock_state if row else ClockState.UNSYNCHRONISED,
        clock_offset_ns=row.clock_offset_ns if row else None,
        lost_packets=row.lost_packets if row else 0,
    )


def recovered_run(note: SegmentNote, file: SegmentFile) -> Run:
    header = file.header
    return Run(
        id=note.run,
        camera=note.camera,
        stream=note.stream,
        started_ns=note.start_ns,
        codec=codec_of(header.sample_entry),
        codec_string=note.codec_string,
        width=header.width,
        height=header.height,
        sample_entry=header.sample_entry,
    )
