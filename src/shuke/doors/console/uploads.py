"""Uploads go to disk piece by piece, on the pages that take files only, and stop at a limit: the console never holds a file in memory.

The check runs while the request is being parsed, before any view: somebody not signed in cannot fill the disk either,
because nothing is kept for pages that take no files.
"""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.urls import Resolver404, resolve

LIMIT = 1 << 30  # bytes of one request; a year's export of a large shop is some hundred megabytes
MOST_FILES = 50
TAKES_FILES = {  # page → bytes of one request
    "console:imports": LIMIT,
    "console:charter-drafts": 2 << 20,
    "console:finance-partner-cards": 32 << 20,
    "console:insight-costs": 16 << 20,
}


class Guard(FileUploadHandler):
    """First of the handlers; what it refuses, the others never see. `request.upload_refused` tells the view why."""

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.request: Any  # Django's own, always set by the time a body is read
        self._bytes = self._files = 0
        self._allowed = False
        self._limit = 0

    def handle_raw_input(  # type: ignore[override] # Django calls it with bytes; its stubs say str
        self, input_data: Any, META: dict, content_length: int, boundary: bytes, encoding: str | None = None
    ) -> None:
        """Decide once per request."""
        try:
            self._limit = TAKES_FILES.get(resolve(self.request.path_info).view_name, 0)
        except Resolver404:
            self._limit = 0
        self._allowed = self._limit > 0
        self._too_big = content_length > self._limit

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._files += 1
        if not self._allowed:
            raise SkipFile
        if self._too_big:
            self.request.upload_refused = "size"
            raise StopUpload(connection_reset=False)
        if self._files > MOST_FILES:
            self.request.upload_refused = "files"
            raise StopUpload(connection_reset=False)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._bytes += len(raw_data)
        if self._bytes > self._limit:
            self.request.upload_refused = "size"
            raise StopUpload(connection_reset=True)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
