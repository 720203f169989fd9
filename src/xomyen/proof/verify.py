"""Checks an export: whether its pictures are the ones a node recorded, and if not, where they differ."""

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from xomyen.proof import tree
from xomyen.proof.boxes import InvalidBoxes, Picture, pictures_of, sample_entry
from xomyen.proof.heads import Heads, beyond, compare, untold
from xomyen.proof.keys import PublicKey
from xomyen.proof.manifest import (
    LARGEST_MANIFEST,
    MANIFEST_NAME,
    SIGNATURE_NAME,
    SIGNED_PREFIX,
    ClipRecord,
    InvalidManifest,
    Manifest,
    SegmentRecord,
    parse_signature,
)
from xomyen.proof.package import NotAnExport, Package, PackedFile
from xomyen.proof.report import ClipTimes, Finding, Report, Verdict
from xomyen.proof.seal import InvalidSeal, Seal, Statement
from xomyen.proof.shown import shown_pictures
from xomyen.proof.trust import TrustedKey
from xomyen.terms.words import ClockState, SegmentState

__all__ = ["ClipTimes", "Finding", "Report", "Verdict", "verify"]


def verify(path: Path, trusted: Iterable[PublicKey], heads: Path | None = None) -> Report:
    """Checks a folder, a ZIP, or a clip beside its manifest, against the heads in a file where there is one.

    A `TrustedKey` counts for its node alone. Raises NotAnExport, InvalidHeads.
    """
    known = Heads.load(heads) if heads is not None else None
    with Package(path) as package:
        return _Verification(package, list(trusted), known, heads.name if heads is not None else "").run()


_MARKS: tuple[tuple[str, Callable[[Statement], object]], ...] = (
    ("have the same number", lambda statement: statement.sequence),
    ("follow the same one", lambda statement: statement.previous),
)


class _Verification:
    def __init__(self, package: Package, trusted: list[PublicKey], heads: Heads | None, heads_file: str) -> None:
        self.package = package
        self.trusted = trusted
        self.heads = heads
        self.heads_file = heads_file
        self.report = Report()
        self.keys = {key.fingerprint: key for key in trusted}

    def run(self) -> Report:
        manifest = self._manifest()
        if manifest is None:
            return self.report
        clips = manifest.clips
        if self.package.only is not None:
            clips = tuple(clip for clip in clips if clip.file == self.package.only)
            if not clips:
                raise NotAnExport(f"{self.package.path} is not a clip that the manifest beside it names.")
        for clip in clips:
            self._clip(manifest, clip)
            self.report.files.append(clip.file)
        if len({clip.file for clip in manifest.clips}) < len(manifest.clips):
            self._find(Verdict.ALTERED, "The manifest names a clip twice.", MANIFEST_NAME)
        statements = _statements(manifest)
        self._between_clips(manifest, statements)
        self._forks(statements)
        self.report.not_checked = self._strangers(manifest)
        self.report.trusted_as = self._known_key(manifest.key.fingerprint, manifest.node, MANIFEST_NAME)
        self._compare_heads(manifest, statements)
        return self.report

    def _strangers(self, manifest: Manifest) -> list[str]:
        """What lies beside the clips and is none of them: nothing is proven of it."""
        if self.package.only is not None:
            return []
        own = {MANIFEST_NAME, SIGNATURE_NAME, *(clip.file for clip in manifest.clips)}
        return sorted(self.package.names - own)

    def _compare_heads(self, manifest: Manifest, statements: list[Statement]) -> None:
        """Finds what the node told of elsewhere and the export does not have."""
        uncertain = "that footage was removed before the export"
        if self.heads is None:
            text = f"{uncertain}, at its ends: no heads of the chain of seals were given (--heads)"
            self.report.cannot_exclude.append(text)
            return
        self._known_key(self.heads.key.fingerprint, self.heads.node, self.heads_file)
        self.report.findings += compare(self.heads, manifest, statements, self.heads_file)
        for unsaid in (beyond(self.heads, manifest), untold(self.heads, manifest, statements)):
            if unsaid is not None:
                self.report.cannot_exclude.append(f"{uncertain}: {unsaid}")

    def _between_clips(self, manifest: Manifest, statements: list[Statement]) -> None:
        """From the last segment of a clip to the first of the next nothing may be missing either.

        Nothing is, when the numbers count on: a disk that was slow, full or lost power has seals made in another
        order, and some made anew, so that not each follows the one with the number before.
        """
        known = {statement.hash().hex() for statement in statements}
        for before, here in pairwise(sorted(statements, key=lambda one: one.sequence)):
            # A clock that was set may put what lies between outside the range; such a seal says so.
            stepped = ClockState.STEPPED in (before.clock_state, here.clock_state)
            if before.run == here.run or not before.final or stepped or not here.previous:
                continue
            if here.sequence > before.sequence + 1 and here.previous not in known:
                text = f"Between segments {before.sequence} and {here.sequence} of the camera there were others."
                file = next(clip.file for clip in manifest.clips if clip.run == here.run)
                self._find(Verdict.INCOMPLETE, text, file, camera=manifest.camera, segment=here.segment)

    def _forks(self, statements: list[Statement]) -> None:
        """One node makes one chain: two seals of one number, or after one seal, are of two histories."""
        final = sorted((one for one in statements if one.final), key=lambda one: one.sequence)
        for name, key in _MARKS:
            first: dict[object, Statement] = {}
            for statement in final:
                mark = key(statement)
                other = first.setdefault(mark, statement)
                if mark and other is not statement:
                    self.report.cannot_exclude.append(
                        f"that a copy of the node recorded too: segments {other.segment} and {statement.segment} "
                        f"{name}, as they also may after the node lost its index"
                    )
                    return

    def _find(self, verdict: Verdict, text: str, file: str, **place: object) -> None:
        self.report.findings.append(Finding(verdict, text, file, **place))  # type: ignore[arg-type]

    def _manifest(self) -> Manifest | None:
        file = self.package.files[MANIFEST_NAME]
        if file.size > LARGEST_MANIFEST:
            raise NotAnExport("The manifest is too large to be one.")
        encoded = file.read(0, file.size)
        try:
            manifest = Manifest.decode(encoded)
        except InvalidManifest as error:
            if b'"xomyen-export"' not in encoded:
                raise NotAnExport(f"{MANIFEST_NAME} is not the manifest of an export: {error}.") from error
            self._find(Verdict.ALTERED, f"The manifest was changed: {error}.", MANIFEST_NAME)
            return None
        self.report.manifest = manifest
        self.report.fingerprint = manifest.key.fingerprint
        embedded = PublicKey(bytes.fromhex(manifest.key.public))
        if embedded.fingerprint != manifest.key.fingerprint:
            self._find(Verdict.ALTERED, "The manifest's key and its fingerprint differ.", MANIFEST_NAME)
        self.keys.setdefault(embedded.fingerprint, embedded)
        signature_file = self.package.files[SIGNATURE_NAME]
        signature = parse_signature(signature_file.read(0, 1024))
        if signature is None or not embedded.verify(SIGNED_PREFIX + encoded, signature):
            self._find(
                Verdict.ALTERED,
                "The signature does not fit the manifest: one of them was changed, or the key was replaced.",
                MANIFEST_NAME,
            )
        return manifest

    def _known_key(self, fingerprint: str, node: str, file: str) -> str | None:
        """Finds the trusted key with this fingerprint that counts for the node; says whose it is."""
        same = [key for key in self.trusted if key.fingerprint == fingerprint]
        for key in same:
            if not isinstance(key, TrustedKey) or key.counts_for(node):
                return key.title if isinstance(key, TrustedKey) else None
        others = sorted(key.node for key in same if isinstance(key, TrustedKey) and key.node)
        text = (
            f"Signed in the name of node {node} with the key {fingerprint}, which is trusted for node "
            f"{', '.join(others)} alone."
            if others
            else f"Signed with the key {fingerprint}, which is not among the trusted ones; compare it with the node's "
            "(`xomyen key`), then give it with --key or `xomyen trust`."
        )
        self._find(Verdict.UNKNOWN_KEY, text, file)
        return None

    def _clip(self, manifest: Manifest, clip: ClipRecord) -> None:
        file = self.package.files.get(clip.file)
        if file is None:
            self._find(Verdict.INCOMPLETE, f"The clip {clip.file} is missing.", clip.file, camera=manifest.camera)
            return
        statements = [self._segment(manifest, clip, number) for number in range(len(clip.segments))]
        header = file.read(0, clip.header_bytes)
        intact = self._bytes(manifest, clip, file, header)
        self._layout(manifest, clip)
        if any(statement is None for statement in statements):
            return
        known = [statement for statement in statements if statement is not None]
        self._chain(manifest, clip, known)
        if intact:
            self._sample_entry(manifest, clip, header)
            self._shown(manifest, clip, file, header, known)

    def _segment(self, manifest: Manifest, clip: ClipRecord, number: int) -> Statement | None:
        """The statement of a segment's seal, when seal, leaves and manifest fit together."""
        record = clip.segments[number]
        encoded = record.seal.statement.encode("utf-8", "surrogatepass")
        try:
            statement = Statement.decode(encoded)
        except InvalidSeal as error:
            self._altered(manifest, clip, record, None, f"The seal of segment {number + 1} was changed: {error}.")
            return None
        seal = Seal(statement, encoded, bytes.fromhex(record.seal.signature), ())
        key = self.keys.get(statement.key)
        if key is None:
            self._altered(manifest, clip, record, statement, f"The seal is of another key, {statement.key}.")
        elif not seal.signed_by(key):
            self._altered(manifest, clip, record, statement, "The seal's signature does not fit its statement.")
        asked = (manifest.node, manifest.camera, manifest.stream, clip.run)
        if (statement.node, statement.camera, statement.stream, statement.run) != asked:
            text = f"The segment is of camera {statement.camera}, {statement.stream}, not of the one stated."
            self._altered(manifest, clip, record, statement, text)
        known = {number + 1 + record.first: bytes.fromhex(leaf) for number, leaf in enumerate(record.leaves)}
        known[0] = tree.leaf_hash(bytes.fromhex(record.header))
        try:
            root = tree.root_from(statement.fragments + 1, known, [bytes.fromhex(node) for node in record.path])
        except ValueError:
            root = b""
        if root.hex() != statement.root or len(record.leaves) != len(record.sizes):
            self._altered(manifest, clip, record, statement, "The fragments listed are not those that were sealed.")
        return statement

    def _altered(
        self, manifest: Manifest, clip: ClipRecord, record: SegmentRecord, statement: Statement | None, text: str
    ) -> None:
        end = record.offset + sum(record.sizes)
        segment = statement.segment if statement else None
        self._find(
            Verdict.ALTERED, text, clip.file, camera=manifest.camera, segment=segment, start=record.offset, end=end
        )

    def _bytes(self, manifest: Manifest, clip: ClipRecord, file: PackedFile, header: bytes) -> bool:
        """Hashes the whole file once and names each part that differs."""
        before = len(self.report.findings)
        whole = hashlib.sha256(header)
        cut = len(header) < clip.header_bytes
        if not cut and hashlib.sha256(header).hexdigest() != clip.header_sha256:
            text = "The clip's header was changed."
            self._find(Verdict.ALTERED, text, clip.file, camera=manifest.camera, start=0, end=clip.header_bytes)
        for record in clip.segments:
            segment = _segment_id(record)
            at = record.offset
            for number, (size, leaf) in enumerate(zip(record.sizes, record.leaves, strict=False), record.first + 1):
                state = tree.leaf_hasher()
                got = 0
                for piece in file.chunks(at, size):
                    state.update(piece)
                    whole.update(piece)
                    got += len(piece)
                if got < size:
                    cut = True
                elif state.hexdigest() != leaf:
                    text = f"Fragment {number} of segment {segment} was changed."
                    place = {"camera": manifest.camera, "segment": segment, "start": at, "end": at + size}
                    self._find(Verdict.ALTERED, text, clip.file, **place)
                at += size
        if cut or file.size < clip.bytes:
            text = f"The clip ends {clip.bytes - file.size} bytes early."
            place = {"camera": manifest.camera, "start": file.size, "end": clip.bytes}
            self._find(Verdict.INCOMPLETE, text, clip.file, **place)
        elif file.size > clip.bytes:
            text = f"{file.size - clip.bytes} bytes were added behind the clip's end."
            place = {"camera": manifest.camera, "start": clip.bytes, "end": file.size}
            self._find(Verdict.ALTERED, text, clip.file, **place)
        elif whole.hexdigest() != clip.sha256 and len(self.report.findings) == before:
            self._find(Verdict.ALTERED, "The clip is not the one that was exported.", clip.file, camera=manifest.camera)
        return len(self.report.findings) == before

    def _layout(self, manifest: Manifest, clip: ClipRecord) -> None:
        """Header and fragments must fill the clip without a byte between them."""
        at = clip.header_bytes
        for record in clip.segments:
            if record.offset != at:
                break
            at += sum(record.sizes)
        else:
            if at == clip.bytes:
                return
        text = "Bytes of the clip belong to no sealed fragment."
        self._find(Verdict.ALTERED, text, clip.file, camera=manifest.camera, start=at, end=clip.bytes)

    def _chain(self, manifest: Manifest, clip: ClipRecord, statements: list[Statement]) -> None:
        """Within a run, the segments follow one another, whole between the first and the last."""
        for number in range(1, len(statements)):
            before, here = statements[number - 1], statements[number]
            taken = clip.segments[number - 1]
            place = {"camera": manifest.camera, "segment": here.segment, "start": clip.segments[number].offset}
            if here.sequence <= before.sequence:
                text = f"Segments {before.sequence} and {here.sequence} stand in the wrong order."
                self._find(Verdict.ALTERED, text, clip.file, **place)
            elif here.sequence > before.sequence + 1:
                text = f"Between segments {before.sequence} and {here.sequence} of the camera there were others."
                self._find(Verdict.INCOMPLETE, text, clip.file, **place)
            elif here.previous and here.previous != before.hash().hex() and before.final and not _mended(before, here):
                text = "The segment does not follow the one before it in the chain of seals."
                self._find(Verdict.ALTERED, text, clip.file, **place)
            elif clip.segments[number].first != 0 or taken.first + len(taken.sizes) != before.fragments:
                text = f"Fragments between segments {before.segment} and {here.segment} are missing."
                self._find(Verdict.INCOMPLETE, text, clip.file, **place)

    def _sample_entry(self, manifest: Manifest, clip: ClipRecord, header: bytes) -> None:
        try:
            shown = sample_entry(header)
            same = all(sample_entry(bytes.fromhex(record.header)) == shown for record in clip.segments)
        except InvalidBoxes:
            same = False
        if not same:
            text = "The clip's header describes another picture format than the sealed segments."
            self._find(Verdict.ALTERED, text, clip.file, camera=manifest.camera, start=0, end=clip.header_bytes)

    def _shown(
        self, manifest: Manifest, clip: ClipRecord, file: PackedFile, header: bytes, statements: list[Statement]
    ) -> None:
        """What a player shows must be pictures of the sealed fragments, at their sealed times, as many as stated."""
        pictures: list[Picture] = []
        begins: list[int] = []  # first picture of each segment
        try:
            for record in clip.segments:
                begins.append(len(pictures))
                pictures += _pictures(file, record)
            shown = shown_pictures(header, pictures)
        except InvalidBoxes as error:
            text = f"The clip's header does not show the sealed pictures as they are: {error}."
            self._find(Verdict.ALTERED, text, clip.file, camera=manifest.camera, start=0, end=clip.header_bytes)
            return

        def wall_ns(picture: Picture) -> int:
            number = bisect_right(pictures, picture.offset, key=lambda one: one.offset) - 1
            return statements[bisect_right(begins, number) - 1].wall_ns(picture.pts)

        if (clip.first_ns, clip.last_ns) != (wall_ns(shown[0]), wall_ns(shown[-1])) or clip.frames != len(shown):
            text = "The manifest states other times, or another number of pictures, than the clip shows by its seals."
            self._find(Verdict.ALTERED, text, clip.file, camera=manifest.camera)
            return
        clocks = {str(statement.clock_state) for statement in statements}
        clock = next((state for state in ("stepped", "unsynchronised") if state in clocks), "synchronised")
        lost = sum(statement.lost_packets for statement in statements)
        self.report.times.append(ClipTimes(clip.file, clip.first_ns, clip.last_ns, clip.frames, clock, lost))


def _mended(before: Statement, here: Statement) -> bool:
    """Whether a disk's fault explains that one does not name the other: one of them was sealed anew after it."""
    return SegmentState.RECOVERED in (before.state, here.state)


def _statements(manifest: Manifest) -> list[Statement]:
    """Every segment's statement that can be read, of all clips, once."""
    found: dict[str, Statement] = {}
    for clip in manifest.clips:
        for record in clip.segments:
            with suppress(InvalidSeal):
                statement = Statement.decode(record.seal.statement.encode("utf-8", "surrogatepass"))
                found[statement.segment] = statement
    return list(found.values())


def _segment_id(record: SegmentRecord) -> str | None:
    try:
        return Statement.decode(record.seal.statement.encode("utf-8", "surrogatepass")).segment
    except InvalidSeal:
        return None


def _pictures(file: PackedFile, record: SegmentRecord) -> list[Picture]:
    """The pictures of a segment's fragments in the clip. Raises InvalidBoxes."""
    pictures: list[Picture] = []
    at = record.offset
    for size in record.sizes:
        length = int.from_bytes(file.read(at, 4), "big")
        pictures += pictures_of(file.read(at, min(length, size)), at, size)
        at += size
    return pictures
