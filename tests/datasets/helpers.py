"""What the tests of data sets share: idx files, and a web server that misbehaves in the ways that downloads do."""

import struct
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def idx(array):
    """The idx file of a uint8 array, as http://yann.lecun.com/exdb/mnist describes it."""
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


class Server:
    """Serves ``files`` (by name); ``faults`` makes a name "truncated", "stalled" (half, then silence) or "missing"."""

    def __init__(self, files):
        self.files, self.faults = dict(files), {}
        self.asked = Counter()
        self.half_sent, self.closing = threading.Event(), threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server._answer(self)

            def log_message(self, *arguments):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def _answer(self, request):
        name = request.path.lstrip("/")
        self.asked[name] += 1
        content, fault = self.files.get(name), self.faults.get(name)
        if content is None or fault == "missing":
            request.send_error(404)
            return
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if fault is None:
            request.wfile.write(content)
            return
        request.wfile.write(content[: len(content) // 2])
        request.wfile.flush()
        if fault == "stalled":
            self.half_sent.set()
            self.closing.wait(30)

    def close(self):
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
