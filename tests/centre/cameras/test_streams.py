"""How a camera's streams are, in words."""

from django.utils import translation
from tests.centre.conftest import Province

from xomyen.centre.cameras.words import stream_states
from xomyen.terms.words import RESTING

_TOLD = {"since_ns": 1_795_000_000_000_000_000, "reason": None, "width": 0, "height": 0}


def test_a_sub_stream_that_nobody_watches_is_ready_and_one_that_is_sought_connects(province: Province) -> None:
    camera = province.public
    camera.node.answers = True
    camera.streams = {
        "main": {**_TOLD, "state": "connecting", "detail": ""},
        "sub": {**_TOLD, "state": "connecting", "detail": RESTING},
    }
    with translation.override("vi"):
        main, sub = stream_states(camera)
    assert (main.state, main.reason) == ("đang kết nối", "")
    assert (sub.state, sub.reason, sub.detail) == ("sẵn sàng", "chỉ lấy hình từ camera khi có người xem", "")
