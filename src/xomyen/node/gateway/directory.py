"""What cameras there are and what their streams do now, as the gateway last heard."""

from collections.abc import Callable

from xomyen.bus.messages import CameraEvent, CameraStatus
from xomyen.terms.errors import UnknownCamera

Listener = Callable[[str, CameraStatus | None], None]


class CameraDirectory:
    """Filled by whoever follows the bus; told changes go to listeners on the event loop."""

    def __init__(self) -> None:
        self._cameras: dict[str, CameraStatus] = {}
        self._listeners: set[Listener] = set()

    def listed(self) -> list[CameraStatus]:
        """All cameras in the order of the wall, then by name."""
        return sorted(self._cameras.values(), key=lambda camera: (camera.config.order, camera.config.name))

    def get(self, camera: str) -> CameraStatus:
        """The camera with this id. Raises UnknownCamera."""
        try:
            return self._cameras[camera]
        except KeyError:
            raise UnknownCamera(camera) from None

    def find(self, camera: str) -> CameraStatus | None:
        """The camera with this id, if there is one."""
        return self._cameras.get(camera)

    def put(self, status: CameraStatus) -> None:
        """A camera that is new or changed."""
        if self._cameras.get(status.config.id) != status:
            self._cameras[status.config.id] = status
            self._tell(status.config.id, status)

    def state(self, event: CameraEvent) -> None:
        """A stream's new state; of a camera not known (yet) it is dropped, the next listing brings it."""
        known = self._cameras.get(event.camera)
        if known is not None:
            self.put(known.model_copy(update={"streams": {**known.streams, event.stream: event}}))

    def remove(self, camera: str) -> None:
        """A camera that was taken away."""
        if self._cameras.pop(camera, None) is not None:
            self._tell(camera, None)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Calls back on each change until the returned function is called."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def _tell(self, camera: str, status: CameraStatus | None) -> None:
        for listener in tuple(self._listeners):
            listener(camera, status)
