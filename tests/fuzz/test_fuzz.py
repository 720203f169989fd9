"""No parser lets anything out but the errors it declares, whatever it is given."""

import random
from pathlib import Path

import pytest
from tests.fuzz import corpus
from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS, depacketised

from xomyen.recording.segment_file import read_segment
from xomyen.terms.words import VideoCodec

FOUND = sorted(Path(__file__).with_name("found").glob("*"))
INPUTS = 5000  # a second or less for most targets; the same ones on every machine
SLOW_INPUTS = 1000


@pytest.mark.parametrize("name", TARGETS)
def test_real_input_breaks_no_parser(name: str) -> None:
    for seed in TARGETS[name].seeds():
        TARGETS[name].run(seed)


@pytest.mark.parametrize("codec", VideoCodec)
def test_mutation_begins_at_input_that_parsers_accept(codec: VideoCodec, tmp_path: Path) -> None:
    for seed in TARGETS[f"rtp-{codec}"].seeds():
        assert len(depacketised(codec, seed).units) == 25
    path = tmp_path / "segment.mp4"
    path.write_bytes(corpus.segment(codec))
    found = read_segment(str(path))
    assert found.seal is not None
    assert [fragment.samples for fragment in found.fragments] == [8, 8, 8]


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_input_raises_only_what_is_declared(name: str) -> None:
    target, seeds = TARGETS[name], TARGETS[name].seeds()
    chance = random.Random(name)
    slow = name.startswith(("rtp-", "access-units", "mp4-boxes", "segment-file"))
    for _ in range(SLOW_INPUTS if slow else INPUTS):
        target.run(mutated(seeds, chance))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_input_that_once_broke_a_parser_no_longer_does(path: Path) -> None:
    TARGETS[path.name.partition(".")[0]].run(path.read_bytes())
