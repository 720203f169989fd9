"""A bound on what may be uploaded, which holds before anybody is asked who they are."""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, StopUpload

LARGEST_BYTES = 6 << 20  # of all files of a request; a spreadsheet of 5,000 cameras has under 2 MB


class BoundedUpload(FileUploadHandler):
    """Stands before the handlers that keep files, since forms are read before it is known whose they are.

    What is past the bound is never written; the rest of the request is not read.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._taken = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._taken += len(raw_data)
        if self._taken > LARGEST_BYTES:
            raise StopUpload(connection_reset=True)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The next handler keeps the file."""
