"""Privacy masks: what of a camera's pictures is black for those whose tickets say so."""

import asyncio

from tests.gateway_node import FRAME_NS, Node, read_jpeg
from tests.live_page import Playing, indexed, page
from tests.masked_pictures import UPPER_LEFT, hides_upper_left, is_whole

from xomyen.terms.time import NS_PER_SECOND, format_utc
from xomyen.terms.words import StreamName, VideoCodec


async def test_live_pictures_are_black_under_the_masks(node: Node) -> None:
    camera = node.add_camera(masks=UPPER_LEFT)
    playing = Playing(node.recorder.sink(camera, StreamName.MAIN))
    playing.play(node, 60)
    await indexed(node, camera)
    async with page(node, node.ticket(mask="masked")) as viewer, page(node) as officer:
        for one in (viewer, officer):
            await one.say(type="watch", view=0, camera=camera, stream="main", codecs=["h264"])
        init = await viewer.hear("init", view=0)
        assert (init["note"], init["mime"].split('"')[1][:5]) == ("masked", "avc1.")
        for _ in range(15):
            playing.play(node, 5)
            await asyncio.sleep(0.02)
        await viewer.see(40)
        await officer.see(40)
    shown = viewer.shown()
    assert all(hides_upper_left(image, 50 + number) for number, image in enumerate(shown))
    assert all(is_whole(image, 50 + number) for number, image in enumerate(officer.shown()))


async def test_a_still_is_black_under_the_masks(node: Node) -> None:
    camera = node.add_camera(masks=UPPER_LEFT)
    start = (node.clock.wall_ns() // NS_PER_SECOND - 120) * NS_PER_SECOND
    await node.record(camera, 120, start, codec=VideoCodec.H265)
    at = {"at": format_utc(start + 77 * FRAME_NS + FRAME_NS // 2)}
    async with node.client(node.ticket(mask="masked")) as client, node.client(node.ticket()) as officer:
        masked, whole = [await one.get(f"/api/v1/cameras/{camera}/still", params=at) for one in (client, officer)]
        assert hides_upper_left(read_jpeg(masked.content), 77)
        assert is_whole(read_jpeg(whole.content), 77)
        assert masked.headers["ETag"] != whole.headers["ETag"]
