"""Nobody fills the disk: what is uploaded is bounded, also before anybody has signed in."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, FakePayload, encode_multipart

from xomyen.centre.uploads import LARGEST_BYTES

MEBI = 1 << 20


class Counted(FakePayload):
    """A request's body that knows how much of it was asked for."""

    taken = 0

    def read(self, size: int | None = None) -> bytes:
        data: bytes = super().read(size)
        self.taken += len(data)
        return data


@pytest.fixture
def temporary(tmp_path: Path, settings: Any) -> Path:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", ["/account/login/", "/account/link/", "/cameras/import/"])
@pytest.mark.parametrize("sizes", [[40 * MEBI], [LARGEST_BYTES // 2] * 12], ids=["one file", "many files"])
def test_files_past_the_bound_are_not_read_to_their_end(db: None, temporary: Path, path: str, sizes: list[int]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/account/login/")
    files = {f"f{number}": SimpleUploadedFile(f"{number}.xlsx", bytes(size)) for number, size in enumerate(sizes)}
    body = encode_multipart(BOUNDARY, files)
    payload = Counted(body)
    answer = client.generic(
        "POST", path, content_type=MULTIPART_CONTENT, **{"wsgi.input": payload, "CONTENT_LENGTH": len(body)}
    )
    assert answer.status_code in (302, 403)
    assert payload.taken <= LARGEST_BYTES + 2 * MEBI
    assert list(temporary.iterdir()) == []
