"""Answers in makers' own shapes, as values."""

import pytest
from tests.onvif_answers import (
    CAPABILITIES,
    MATCHES,
    MEDIA2_PROFILES,
    NESTED_FAULT,
    NVR_PROFILES,
    OLD_FAULT,
    SECURITY_FAULT,
)

from xomyen.camera.errors import CameraFault, RequestRefused, WrongPassword
from xomyen.camera.onvif.answers import Profile, read_capabilities, read_profiles, read_time
from xomyen.camera.onvif.discovery import Announcement, read_matches
from xomyen.camera.onvif.errors import ActionNotSupported, NotOnvif
from xomyen.camera.onvif.networks import Endpoint
from xomyen.camera.onvif.soap import MEDIA, read_answer
from xomyen.camera.onvif.xml import parse
from xomyen.terms.words import VideoCodec


def test_the_profiles_of_a_recorder_are_those_with_video() -> None:
    assert read_profiles(read_answer(NVR_PROFILES, "GetProfiles", "here")) == [
        Profile(
            "MediaProfile00000", "MediaProfile_Channel1_MainStream", VideoCodec.H264, 1920, 1080, 25, 4_096_000, True
        ),
        Profile("MediaProfile00002", "snapshot", None, 704, 576, None, None, False),
    ]


def test_the_second_media_service_tells_of_h265() -> None:
    (profile,) = read_profiles(read_answer(MEDIA2_PROFILES, "GetProfiles", "here"))
    assert profile == Profile("Profile_1", "mainStream", VideoCodec.H265, 2560, 1440, 12.5, 3_072_000, False)


def test_capabilities_tell_where_services_are() -> None:
    found = read_capabilities(read_answer(CAPABILITIES, "GetCapabilities", "here"))
    assert found == {MEDIA: "http://192.168.1.9/onvif/Media"}


@pytest.mark.parametrize(
    ("data", "fault"),
    [(NESTED_FAULT, ActionNotSupported), (SECURITY_FAULT, WrongPassword), (OLD_FAULT, RequestRefused)],
)
def test_faults_are_told_by_their_codes(data: bytes, fault: type[CameraFault]) -> None:
    with pytest.raises(fault):
        read_answer(data, "GetProfiles", "here")


def test_an_answer_to_another_question_is_none() -> None:
    with pytest.raises(NotOnvif):
        read_answer(CAPABILITIES, "GetProfiles", "here")


@pytest.mark.parametrize(("sender", "port"), [("192.168.1.9", 8000), ("10.0.0.7", 80)])
def test_of_several_addresses_that_is_taken_which_the_answer_came_from(sender: str, port: int) -> None:
    assert read_matches(MATCHES, sender, ["urn:uuid:1"]) == [
        Announcement(Endpoint("http", sender, port, "/onvif/device_service"), "Cam cổng", "IPC-1")
    ]


@pytest.mark.parametrize(
    ("year", "second", "told"), [(2026, 5, True), (2026, 60, True), (1, 5, True), (99999, 5, False), (2026, -1, False)]
)
def test_a_clock_is_read_where_it_makes_sense(year: int, second: int, told: bool) -> None:
    answer = parse(
        f"<R><SystemDateAndTime><UTCDateTime><Time><Hour>7</Hour><Minute>1</Minute><Second>{second}</Second></Time>"
        f"<Date><Year>{year}</Year><Month>11</Month><Day>21</Day></Date></UTCDateTime></SystemDateAndTime></R>".encode()
    )
    assert (read_time(answer) is not None) == told
