"""The node's HTTP and WebSocket interface (docs/api.md): a Starlette application that Granian serves."""
