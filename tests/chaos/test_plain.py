"""The load by plain sockets reads answers to their end, and is late for nobody."""

import threading
import time
import unittest
from unittest import mock

import mix
import plain

ANSWER = b"HTTP/1.1 200 OK\r\nX-Consul-Index: 7\r\nContent-Length: 4\r\n\r\ntrue"


class Answers(unittest.TestCase):
    def test_an_answer_is_whole_with_its_last_byte(self):
        for length in range(len(ANSWER)):
            self.assertFalse(plain._is_whole(ANSWER[:length]))
        self.assertTrue(plain._is_whole(ANSWER))


class Server:
    """Answers each connection by a thread; the first request of a write it holds for a while."""

    HOLD_S = 0.2

    def __init__(self):
        self._held = threading.Event()
        self.connections = 0

    def connection(self, *_):
        """The end of a new one, in the place of TLS."""
        ours, theirs = plain.socket.socketpair()
        self.connections += 1
        threading.Thread(target=self._serve, args=[theirs], daemon=True).start()
        return ours

    def _serve(self, end):
        with end:
            while request := end.recv(65536):
                if request.startswith(b"PUT") and not self._held.is_set():
                    self._held.set()
                    time.sleep(self.HOLD_S)
                end.sendall(ANSWER)


class Rates(unittest.TestCase):
    def test_a_call_is_timed_from_when_it_should_have_begun(self):
        server = Server()
        with mock.patch.object(plain, "connect", server.connection):
            with mock.patch.object(plain, "CONNECTIONS", 1):
                made = plain.Plain("host", 1, None, "token")
            self.assertEqual(server.connections, 1)
            calls = list(made.rate(0.1, 100))
            made.close()
        self.assertEqual(len(calls), 10)
        self.assertTrue(all(call.ok for call in calls))
        # With one connection those after the one that is held wait for it, and that counts.
        held = next(at for at in range(10) if mix.is_write(at))
        for at in range(held, 10):
            waited = server.HOLD_S - (at - held) / 100
            self.assertGreaterEqual(calls[at].ended - calls[at].began, waited - 0.001)


if __name__ == "__main__":
    unittest.main()
