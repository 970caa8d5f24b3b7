"""A server on this machine that answers as a photo host does on its bad days."""

from __future__ import annotations

import threading
import time
import zlib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tfrecords_fixtures import jpeg

UNAVAILABLE = "/pw/images/en-us/photo_unavailable.png"


def picture(content):
    """Answers with these bytes."""

    def answer(handler):
        handler.reply(200, content)

    return answer


def status(code, **headers):
    """Answers with a status; `Retry_After="1"` gives the header Retry-After."""

    def answer(handler):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        handler.reply(code, b"<html>sorry</html>", fields)

    return answer


def cut_off(content):
    """Announces the whole length, sends a half and hangs up."""

    def answer(handler):
        handler.head(200, len(content))
        handler.wfile.write(content[: len(content) // 2])
        handler.close_connection = True

    return answer


def stall(handler):
    """Takes the request and says nothing."""
    handler.server.closing.wait(5)
    handler.close_connection = True


def trickle_body(handler):
    """Sends a byte every 50 ms."""
    handler.head(200, 300)
    handler.trickle(b"x" * 300)


def trickle_headers(handler):
    """Sends a byte of a header every 50 ms."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    handler.trickle(b"x" * 300)


def slow(content, seconds):
    """Answers after a while, and counts how many requests wait at the same time."""

    def answer(handler):
        with handler.server.waiting():
            time.sleep(seconds)
        handler.reply(200, content)

    return answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: PhotoServer

    def do_GET(self):
        self.server.answer_for(self)(self)

    def head(self, code, length, headers=()):
        self.send_response(code)
        self.send_header("Content-Length", str(length))
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()

    def reply(self, code, content, headers=()):
        self.head(code, len(content), headers)
        self.wfile.write(content)

    def trickle(self, content):
        self.close_connection = True
        for byte in content:
            if self.server.closing.wait(0.05):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, *args):
        pass


class PhotoServer(ThreadingHTTPServer):
    """Serves each photo as a picture of its own, unless told otherwise by `on`.

    Attributes:
        requests: the paths in the order they were asked for.
        times: when, on the clock of `time.monotonic`.
        user_agents: those that asked.
        most_waiting: the most requests that waited for a slow answer at the same time.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self._answers = {}
        self.requests, self.times, self.user_agents = [], [], set()
        self.most_waiting = self._num_waiting = 0
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self.address = f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error):
        self.closing.set()
        self.shutdown()
        self.server_close()

    @contextmanager
    def waiting(self):
        with self._lock:
            self._num_waiting += 1
            self.most_waiting = max(self.most_waiting, self._num_waiting)
        yield
        with self._lock:
            self._num_waiting -= 1

    def answer_for(self, handler):
        with self._lock:
            number = self.requests.count(handler.path)
            self.requests.append(handler.path)
            self.times.append(time.monotonic())
            self.user_agents.add(handler.headers["User-Agent"])
        answers = self._answers.get(handler.path)
        if answers is None:
            return picture(jpeg(zlib.crc32(handler.path.encode())))
        return answers[min(number, len(answers) - 1)]

    def on(self, photo, *answers, size="middle"):
        """Answers so to the requests for a photo in turn, the last one to all further ones."""
        self._answers[f"/{photo}_{size}.jpg"] = answers

    def handle_error(self, request, client_address):
        """Clients hang up; that is what is tested."""

    def url(self, photo, size="middle"):
        return f"{self.address}/{photo}_{size}.jpg"

    def write_list(self, path, photos, sizes=("large", "middle", "small")):
        """Writes a list of URLs in the release's form; photos such as `actor/0001_17`."""
        lines = ["%%%%Photo_file  Photo_id  url_Large  url_Middle  url_Small  url_Original%%%%"]
        for photo in photos:
            name = photo.replace("/", "\\")
            urls = [
                self.url(photo, size) if size in sizes else "null"
                for size in ("large", "middle", "small", "original")
            ]
            fields = [rf"C:\ImageData\Flickr\{name}.jpg", photo.rpartition("_")[2], *urls]
            lines.append("  ".join(fields) + " ")
        path.write_bytes("\r\n".join([*lines, ""]).encode())
        return path
