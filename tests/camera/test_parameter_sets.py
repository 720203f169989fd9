"""Parameter sets, from the description and in band, make the configuration that opens a run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rtp_packetiser import Packetiser
from tests.stream_feeder import H264, H265, SETS, Feeder, configure, sample, slice_unit

from xomyen.camera.errors import CodecNotSupported
from xomyen.camera.parameter_sets import ParameterSets


def of_h264(known=()):
    return ParameterSets(lambda sets: configure(H264, sets), known)


def test_there_is_no_configuration_before_all_have_come():
    sets = of_h264()
    assert sets.take() is None
    sets.saw(SETS[H264][0])
    sets.saw(SETS[H264][1])
    config = sets.take()
    assert config is not None
    assert config.parameter_sets == SETS[H264]
    assert sets.new == []


def test_stale_ones_of_the_description_do_not_spoil_the_new_ones():
    def configure_unless_stale(found):
        if b"stale" in found:
            raise ValueError("a set that nobody can read")
        return configure(H264, found)

    sets = ParameterSets(configure_unless_stale, [b"stale"])
    assert sets.take() is None
    for unit in SETS[H264]:
        sets.saw(unit)
    config = sets.take()
    assert config is not None
    assert config.parameter_sets == SETS[H264]


def test_new_ones_that_make_no_configuration_are_said():
    sets = of_h264()
    sets.saw(b"\x67 alone")
    with pytest.raises(CodecNotSupported, match="missing"):
        sets.take()


def test_repeated_ones_and_zeros_behind_them_are_nothing_new():
    sets = of_h264(SETS[H264])
    for unit in SETS[H264]:
        sets.saw(unit + b"\0\0")
    assert sets.new == []


@given(st.lists(st.binary(min_size=1, max_size=8), max_size=300))
def test_ever_new_ones_take_no_more_than_their_share_of_memory(units):
    sets = of_h264()
    for unit in units:
        sets.saw(unit)
    assert len(sets.new) <= 64


@pytest.mark.parametrize("codec", [H264, H265])
def test_parameter_sets_in_band_open_the_run_when_the_description_has_none(codec):
    packetiser = Packetiser(codec)
    first = packetiser.packets([slice_unit(codec, True, b"no sets yet")], 0)
    second = packetiser.packets([*SETS[codec], slice_unit(codec, True, b"with sets")], 3600)
    third = packetiser.packets([slice_unit(codec, False, b"next")], 7200)
    feeder = Feeder(codec, sets=()).feed(b"".join([*first, *second, *third]))
    assert feeder.end()[0] == sample(codec, [*SETS[codec], slice_unit(codec, True, b"with sets")])
    assert len(feeder.sink.configs) == 1


@pytest.mark.parametrize("codec", [H264, H265])
def test_changed_parameter_sets_open_a_new_run_at_their_keyframe_and_repeated_ones_do_not(codec):
    changed = tuple(unit + b"!" for unit in SETS[codec])
    packetiser = Packetiser(codec)
    data = b""
    for index, sets in enumerate([SETS[codec], SETS[codec], changed, changed, ()]):
        data += b"".join(packetiser.packets([*sets, slice_unit(codec, True, b"%d" % index)], index * 3600))
    feeder = Feeder(codec).feed(data, [37])
    feeder.end()
    assert [unit.run for unit in feeder.sink.units] == [1, 1, 2, 2, 2]
    assert feeder.sink.configs[1].parameter_sets == changed


def test_fragmented_parameter_sets_are_understood():
    packetiser = Packetiser(H264, mtu=20)
    long_set = b"\x67" + bytes(range(1, 100))
    data = b"".join(packetiser.packets([long_set, SETS[H264][1], slice_unit(H264, True, bytes(100))], 0))
    data += b"".join(packetiser.packets([slice_unit(H264, False, b"next")], 3600))
    feeder = Feeder(H264, sets=()).feed(data, [11])
    feeder.end()
    assert feeder.sink.configs[0].parameter_sets == (long_set, SETS[H264][1])


def test_parameter_sets_sent_with_a_marker_of_their_own_belong_to_the_keyframe():
    packetiser = Packetiser(H264)
    data = b""
    for index in range(12):
        stamp = 3600 * index
        data += b"".join(packetiser.packets([*SETS[H264]], stamp))
        data += b"".join(packetiser.packets([slice_unit(H264, True, b"%d" % index)], stamp))
    feeder = Feeder(H264).feed(data)
    whole = [[*SETS[H264], slice_unit(H264, True, b"%d" % index)] for index in range(12)]
    assert feeder.end() == [sample(H264, units) for units in whole]
