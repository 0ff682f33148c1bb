"""A server on this machine that has the data sets under the names they were published with."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from rtkpos.io.datasets.catalogue import find_file


class Mirror:
    """What a server gives and was asked for.

    root : folder of the data sets, plain or packed with gzip      asked : paths in their order
    spoil : what a file's bytes become on the way, by path; None is "404 not found"
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[str] = []
        self.spoil: dict[str, bytes | None] = {}
        self.url = ""

    def content(self, path: str) -> bytes | None:
        """The bytes under SET/FILE as published; None where there is no such file."""
        self.asked.append(path)
        if path in self.spoil:
            return self.spoil[path]
        name, _, file = path.partition("/")
        found = find_file(self.root / name, file)
        if found is None:
            return None
        content = found.read_bytes()
        return gzip.decompress(content) if found.name == f"{Path(file).name}.gz" else content


@contextmanager
def mirror(root: Path) -> Iterator[Mirror]:
    """The server, running."""
    served = Mirror(root)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = served.content(unquote(self.path).lstrip("/"))
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
