"""A producer and a consumer's status page in one, without a broker behind them: acknowledges every
POST with the next offset, and applies `rate` records a second times the number of workers."""
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeTarget:
    def __init__(self, rate=1e9, workers=1, token=None, status=200, tls=None,
                 close_after=False, idle=None, stall=None, port=0, host="127.0.0.1"):
        """tls: (certificate, key) files for https. close_after: one answer a connection.
        idle: seconds after which a connection without a request is closed. stall: (after the
        first request, seconds) in which nothing is answered."""
        self.rate, self.workers, self.token, self.status = rate, workers, token, status
        self.end, self.applied, self.asked, self.rebalances = 0, 0.0, [], 1
        self.paths, self.bodies, self.next_pair, self.first = [], [], None, None
        self.lock, self.last = threading.Lock(), time.monotonic()
        target = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            timeout = idle

            def log_message(self, *args):
                pass

            def answer(self, code, document):
                body = json.dumps(document).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                if close_after:
                    self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                target.stand_still(stall)
                if self.path == "/status":
                    self.answer(200, target.look())
                else:
                    target.paths.append(self.path)
                    self.answer(target.status, {})

            def do_HEAD(self):
                target.paths.append(self.path)
                self.send_response(target.status)
                self.send_header("Content-Length", "5")
                self.end_headers()

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.path == "/workers":
                    self.answer(*target.ask(json.loads(body), self.headers))
                else:
                    self.answer(*target.take(self.path, body))

        class Server(ThreadingHTTPServer):
            request_queue_size = 256
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a client that left

        self.server = Server((host, port), Handler)
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*tls)
            self.server.socket = self.context.wrap_socket(self.server.socket, server_side=True)
        self.url = "%s://127.0.0.1:%d" % ("https" if tls else "http",
                                          self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def later(self, pair, answers=20):
        """After so many answers new connections see another certificate."""
        self.next_pair = pair, answers

    def stand_still(self, stall):
        if not stall:
            return
        self.first = self.first or time.monotonic()
        gone = time.monotonic() - self.first
        if stall[0] <= gone < sum(stall):
            time.sleep(sum(stall) - gone)

    def _apply(self):
        now = time.monotonic()
        self.applied = min(self.end, self.applied + self.rate * self.workers * (now - self.last))
        self.last = now

    def take(self, path, body):
        with self.lock:
            self._apply()
            self.bodies.append(body)
            if self.status != 200:
                return self.status, {}
            self.end += 1
            if self.next_pair and self.end >= self.next_pair[1]:
                self.context.load_cert_chain(*self.next_pair[0])
            return 202, {"id": "x", "topic": "users", "partition": 0, "offset": self.end - 1}

    def look(self):
        with self.lock:
            self._apply()
            committed = int(self.applied)
            lag = self.end - committed
            return {"topic": "users", "workers": self.workers,
                    "rebalances": self.rebalances, "partitions": [
                {"partition": 0, "end": self.end, "committed": committed, "lag": lag,
                 "lag_seconds": lag / (self.rate * self.workers)}]}

    def ask(self, request, headers):
        if self.token and headers.get("Authorization") != "Bearer " + self.token:
            return 403, {"detail": "the token is missing"}
        with self.lock:
            self._apply()
            self.workers = request["count"]
            self.asked.append(self.workers)
        return 200, {}

    def close(self):
        self.server.shutdown()
        self.server.server_close()
