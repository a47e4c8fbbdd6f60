"""Chat servers on the loopback address."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


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


KEY = "sk-very-secret"


def completion(text):
    message = {"role": "assistant", "content": text}
    return json.dumps({"object": "chat.completion", "choices": [{"index": 0, "message": message}]})


@contextmanager
def serving(answer):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answer, server.asked, server.daemon_threads = answer, [], True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
