"""The password for a device: sealed in the request, or that of a camera of the node's configuration."""

from urllib.parse import urlsplit

from nats.aio.client import Client

from xomyen.bus.configuration import Configuration
from xomyen.bus.device_messages import Credentials as SealedCredentials
from xomyen.camera.address import Credentials
from xomyen.node.secrets import Secrets
from xomyen.terms.errors import InvalidConfiguration


class Keyring:
    """Opens sealed passwords; they leave this process only towards the device they are for."""

    def __init__(self, client: Client, node: str, secrets: Secrets) -> None:
        self._configuration = Configuration(client, node)
        self._secrets = secrets

    async def open(self, sealed: SealedCredentials, url: str = "") -> Credentials | None:
        """User and password to use at `url`, empty: at several devices; None when none were given.

        Those of a camera are given out for that camera's own host alone, so that who may ask for a probe cannot have
        them sent to a host of theirs. Raises InvalidConfiguration, UnknownCamera.
        """
        if sealed.user or sealed.sealed_password:
            password = self._secrets.open(sealed.sealed_password) if sealed.sealed_password else ""
            return Credentials(sealed.user, password)
        if sealed.camera is None:
            return None
        config = (await self._configuration.camera(sealed.camera)).config
        own = {_host(stream.url) for stream in (config.main, config.sub) if stream is not None}
        if not _host(url) or _host(url) not in own:
            raise InvalidConfiguration(
                f"The password of camera {config.name!r} is used at its own address only; give one for this address.",
                field="credentials",
            )
        if not config.user and not config.sealed_password:
            return None
        return Credentials(config.user, self._secrets.open(config.sealed_password) if config.sealed_password else "")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
