"""A node's folder and its running bus."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.aio.client import Client

from xomyen.bus.connection import connected, prepare_streams
from xomyen.bus.server import BusServer
from xomyen.node.home import prepare
from xomyen.terms.folder import NodeFolder


@pytest.fixture
def folder(tmp_path: Path) -> NodeFolder:
    return NodeFolder(tmp_path / "node")


@pytest.fixture
def node(folder: NodeFolder) -> str:
    return prepare(folder)


@pytest.fixture
async def server(folder: NodeFolder, node: str) -> AsyncIterator[BusServer]:
    async with BusServer(folder, node) as running:
        yield running


@pytest.fixture
async def client(folder: NodeFolder, node: str, server: BusServer) -> AsyncIterator[Client]:
    async with connected(folder, "test") as connection:
        await prepare_streams(connection, node)
        yield connection
