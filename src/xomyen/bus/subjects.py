"""Names of subjects, streams and buckets: each starts with the node's id; ids only, never names."""

EVENT_KINDS = ("segment", "gap", "camera", "chain", "access", "node", "alarm")


def fragment(node: str, camera: str, stream: str) -> str:
    """Plain NATS notice that a fragment was written; only while somebody holds a lease on the stream."""
    return f"xy.{node}.fragment.{camera}.{stream}"


def lease(node: str, camera: str, stream: str) -> str:
    """A viewer's wish to see the stream at once; renewed every 2 s, ends by itself after 5 s."""
    return f"xy.{node}.lease.{camera}.{stream}"


def state(node: str, camera: str) -> str:
    """Plain NATS notice that a camera's state changed; the event stream has it too."""
    return f"xy.{node}.state.{camera}"


def alarms(node: str) -> str:
    """Plain NATS notice of the alarms that stand; each beginning and end is in the event stream too."""
    return f"xy.{node}.alarms"


def event(node: str, kind: str) -> str:
    """An event in the node's stream; `kind` is one of EVENT_KINDS."""
    return f"xy.{node}.event.{kind}"


def service(node: str, name: str, action: str) -> str:
    """A request/reply end-point of the node: config.get, recorder.checkpoint, …"""
    return f"xy.{node}.svc.{name}.{action}"


def event_stream(node: str) -> str:
    """The JetStream stream of the node's events."""
    return f"XY_{node.replace('-', '')}_EVENTS"


def config_bucket(node: str) -> str:
    """The key-value bucket that is the node's configuration in force."""
    return f"xy_{node.replace('-', '')}_config"
