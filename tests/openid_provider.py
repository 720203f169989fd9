"""The npm package oidc-provider on loopback with TLS: certified by the OpenID Foundation, so that our reading of the
protocol is tried against another one."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.certificates import self_signed

ROOT = Path(__file__).parents[1]
CLIENT, SECRET = "xomyen-centre", "bi-mat-cua-trung-tam-0123456789"


@dataclass(frozen=True)
class OpenIdProvider:
    """A provider that runs."""

    issuer: str
    certificate: Path  # that vouches for itself
    secret_file: Path  # of the client CLIENT


@contextmanager
def openid_provider(folder: Path, back: str) -> Iterator[OpenIdProvider]:
    """Runs for the length of a block and sends people back to this one address."""
    certified = self_signed(folder, "openid-provider")
    secret_file = folder / "client-secret"
    secret_file.write_text(SECRET + "\n")
    node = subprocess.run([ROOT / "scripts/node-path"], capture_output=True, text=True, check=True).stdout.strip()
    process = subprocess.Popen(
        ["node", "tests/openid-provider.mjs", certified.certificate, certified.key, CLIENT, SECRET, back],
        cwd=ROOT / "web",
        env={**os.environ, "PATH": f"{node}:{os.environ['PATH']}", "NODE_ENV": "test"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        issuer = next((line.strip() for line in process.stdout if line.startswith("https://")), None)
        assert issuer is not None
        yield OpenIdProvider(issuer, certified.certificate, secret_file)
    finally:
        # All of them: the Node wheel's `node` is a script that starts another.
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
        process.stdout.close()
