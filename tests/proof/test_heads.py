"""What was removed from the footage is found by the heads of its chain that were kept elsewhere."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.numbered_footage import FRAME_NS, START_NS, Footage, encode

from xomyen.playback.clip import plan_clips
from xomyen.playback.export import Export, ExportOrder, write_export
from xomyen.proof.heads import ChainHeads, Head, Heads, InvalidHeads
from xomyen.proof.keys import SigningKey
from xomyen.proof.manifest import key_record
from xomyen.proof.report import Report, Verdict
from xomyen.proof.trust import TrustedKey
from xomyen.proof.verify import verify
from xomyen.recording.rows import Segment
from xomyen.terms.ids import new_id

CREATED_NS = START_NS + 10**12
SECOND_NS = 25 * FRAME_NS


class Case:
    """Six segments of two seconds in two runs, what the node told of them, and exports of some of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.footage = Footage(folder / "video")
        self.footage.record(*encode(150))
        self.footage.record(*encode(150), start_ns=START_NS + 6 * SECOND_NS)
        self.told = [self.head(segment) for segment in self.footage.segments]

    @staticmethod
    def head(segment: Segment) -> Head:
        assert segment.seal_hash is not None
        return Head(
            sequence=segment.sequence, segment=segment.id, seal=segment.seal_hash.hex(), start_ns=segment.start_ns,
            end_ns=segment.end_ns, told_ns=segment.end_ns + FRAME_NS,
        )  # fmt: skip

    def heads(self, *told: Head, key: SigningKey | None = None, node: str = "") -> Path:
        signing = key or self.footage.key
        chain = ChainHeads(
            camera=self.footage.camera, stream=self.footage.stream, from_ns=START_NS,
            to_ns=START_NS + 12 * SECOND_NS, heads=told or tuple(self.told),
        )  # fmt: skip
        made = Heads(
            node=node or self.footage.node, made_ns=CREATED_NS, key=key_record(signing.public), chains=(chain,)
        )
        file = self.folder / "heads.json"
        file.write_bytes(made.sign(signing))
        return file

    def verify(self, segments: list[Segment], heads: Path | None, first_s: int = 0, end_s: int = 12) -> Report:
        order = ExportOrder(
            self.footage.node, self.footage.camera, "Cổng chợ", self.footage.stream, START_NS + first_s * SECOND_NS,
            START_NS + end_s * SECOND_NS,
        )  # fmt: skip
        clips = tuple(plan_clips(segments, order.from_ns, order.to_ns, sealed_only=True))
        path = self.folder / new_id()
        write_export(Export(order, clips, ()), self.footage.key, path, CREATED_NS)
        return verify(path, [self.footage.key.public], heads)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_an_export_that_has_all_the_node_told_of_excludes_removal(case: Case) -> None:
    report = case.verify(case.footage.segments, case.heads())
    assert (report.verdict, report.findings, report.cannot_exclude) == (Verdict.AUTHENTIC, [], [])
    for first_s, end_s in ((0, 1), (1, 3), (3, 7), (11, 12)):
        assert case.verify(case.footage.segments, case.heads(), first_s, end_s).verdict is Verdict.AUTHENTIC


@pytest.mark.parametrize("kept", [slice(0, 5), slice(0, 2), slice(1, 6), slice(4, 6)])
def test_a_chain_cut_off_at_an_end_is_authentic_alone_and_incomplete_with_heads(case: Case, kept: slice) -> None:
    segments = case.footage.segments[kept]
    alone = case.verify(segments, None)
    assert alone.verdict is Verdict.AUTHENTIC
    assert "no heads" in alone.cannot_exclude[0]
    report = case.verify(segments, case.heads())
    assert report.verdict is Verdict.INCOMPLETE
    missing = {segment.id for segment in case.footage.segments} - {segment.id for segment in segments}
    assert {finding.segment for finding in report.findings} == missing


def test_a_segment_between_two_clips_is_missed_without_heads_too(case: Case) -> None:
    for missing in (2, 3):
        kept = [segment for number, segment in enumerate(case.footage.segments) if number != missing]
        report = case.verify(kept, None)
        assert report.verdict is Verdict.INCOMPLETE
        assert "there were others" in report.findings[0].text


def test_a_segment_cut_back_to_its_checkpoint_is_incomplete(case: Case) -> None:
    (open_,) = case.footage.record(
        *encode(50), start_ns=START_NS + 12 * SECOND_NS, checkpoint_after=2, leave_open=True
    )  # fmt: skip
    end_ns = START_NS + 14 * SECOND_NS
    told = Head(
        sequence=open_.sequence, segment=open_.id, seal="a" * 64, start_ns=open_.start_ns, end_ns=end_ns,
        told_ns=end_ns + FRAME_NS,
    )  # fmt: skip
    report = case.verify(case.footage.segments, case.heads(*case.told, told), 0, 14)
    assert (report.verdict, report.findings[0].segment) == (Verdict.INCOMPLETE, open_.id)
    until_the_checkpoint = case.verify(case.footage.segments, case.heads(*case.told, told), 0, 12)
    assert until_the_checkpoint.verdict is Verdict.AUTHENTIC


@pytest.mark.parametrize("change", [{"seal": "0" * 64}, {"segment": new_id()}])
def test_a_chain_that_was_made_anew_is_altered(case: Case, change: dict[str, str]) -> None:
    heads = case.heads(*case.told[:2], case.told[2].model_copy(update=change), *case.told[3:])
    assert case.verify(case.footage.segments, heads).verdict is Verdict.ALTERED


def test_what_was_sealed_after_the_export_is_not_missed(case: Case) -> None:
    later = case.told[5].model_copy(update={"told_ns": CREATED_NS + 1})
    heads = case.heads(*case.told[:5], later)
    assert case.verify(case.footage.segments[:5], heads).verdict is Verdict.AUTHENTIC


def test_heads_that_do_not_reach_far_enough_say_so(case: Case) -> None:
    assert "after" in case.verify(case.footage.segments, case.heads(), 0, 14).cannot_exclude[0]
    other = case.heads(node=new_id())
    assert "not of this camera" in case.verify(case.footage.segments, other).cannot_exclude[0]


def test_a_number_that_neither_heads_nor_export_know_is_said(case: Case) -> None:
    heads = case.heads(*case.told[:2], *case.told[3:])
    assert case.verify(case.footage.segments, heads).cannot_exclude == []
    kept = [*case.footage.segments[:2], *case.footage.segments[3:]]
    assert "between numbers 2 and 4" in case.verify(kept, heads).cannot_exclude[0]
    assert case.verify(kept, heads, 6, 12).cannot_exclude == []
    assert case.verify(kept, heads, 0, 4).cannot_exclude == []


def test_heads_of_an_unknown_key_do_not_make_an_export_authentic(case: Case) -> None:
    report = case.verify(case.footage.segments, case.heads(key=SigningKey.generate()))
    assert (report.verdict, report.findings[0].file) == (Verdict.UNKNOWN_KEY, "heads.json")


def _first_digit(content: bytes) -> bytes:
    at = content.index(b'"seal":"') + 8
    return content[:at] + (b"0" if content[at : at + 1] != b"0" else b"1") + content[at + 1 :]


@pytest.mark.parametrize(
    "change",
    [_first_digit, lambda content: content[:-20], lambda content: content + b"x", lambda content: b" " + content,
     lambda _content: b"", lambda _content: b"[1]\n", lambda _content: b"\xff\n" * 3],
)  # fmt: skip
def test_changed_heads_are_refused(case: Case, change: Callable[[bytes], bytes]) -> None:
    file = case.heads()
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(InvalidHeads):
        case.verify(case.footage.segments, file)


def test_a_trusted_key_does_not_speak_for_another_node(case: Case) -> None:
    segments = case.footage.segments
    order = ExportOrder(
        case.footage.node, case.footage.camera, "", case.footage.stream, START_NS, START_NS + 12 * SECOND_NS
    )
    path = case.folder / "export"
    write_export(Export(order, tuple(plan_clips(segments, order.from_ns, order.to_ns)), ()), case.footage.key, path, 1)
    public, other = case.footage.key.public, new_id()
    refused = verify(path, [TrustedKey.of(public, other, "other.pem")])
    assert (refused.verdict, refused.trusted_as) == (Verdict.UNKNOWN_KEY, None)
    assert other in refused.findings[0].text
    assert case.footage.node in refused.findings[0].text
    taken = verify(path, [TrustedKey.of(public, other, ""), TrustedKey.of(public, case.footage.node, "")])
    assert (taken.verdict, taken.trusted_as) == (Verdict.AUTHENTIC, f"the key of node {case.footage.node}")
    unbound = verify(path, [TrustedKey.of(public, None, "node.pem")])
    assert unbound.verdict is Verdict.AUTHENTIC
    assert "no node" in (unbound.trusted_as or "")
