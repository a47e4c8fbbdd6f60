"""Servers on the loopback address: one that chats, one of raw bytes, one that takes notes."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "sk-very-secret"


def completion(text):
    message = {"role": "assistant", "content": text}
    return json.dumps({"object": "chat.completion", "choices": [{"index": 0, "message": message}]})


class Handler(BaseHTTPRequestHandler):
    """Answers what its server is told to, request by request."""

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        asked = json.loads(self.rfile.read(length))
        self.server.asked.append((self.path, self.headers.get("Authorization"), asked))
        status, body, wait = self.server.answer(len(self.server.asked) - 1)
        time.sleep(wait)
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            status, body = 401, '{"error": "wrong key"}'
        try:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())
        except OSError:
            pass  # nobody waits any longer

    def log_message(self, *_):
        pass


class Raw(BaseHTTPRequestHandler):
    """Writes what its server is told to, byte for byte, until nobody listens."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        try:
            for part in self.server.parts():
                self.wfile.write(part)
        except OSError:
            pass

    def log_message(self, *_):
        pass


class Recorder(BaseHTTPRequestHandler):
    """Notes who asks with which headers, and answers well."""

    def answer(self):
        self.server.seen.append((self.command, self.headers))
        self.send_response(200)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(completion("from elsewhere").encode())

    do_GET = do_POST = do_HEAD = answer

    def log_message(self, *_):
        pass


@contextmanager
def running(handler, **attributes):
    """Serve by a handler on a free port; yields the server and its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    vars(server).update(attributes, daemon_threads=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving(answer):
    with running(Handler, answer=answer, asked=[]) as served:
        yield served
