"""Each status has its exception, with all that a program decides by."""

from __future__ import annotations

import copy
import functools
import pickle
import re
import socket
import tempfile
import unittest
from pathlib import Path
from typing import Any, Callable

import consul_ffi
from consul_ffi import CheckSpec, Registration, ServiceSpec, SessionSpec, _abi, _outcome, errors
from consul_ffi.aio import AsyncClient
from helper import ROOT, ConsulTest, client_of, server


class Classes(unittest.TestCase):
    def test_every_negative_status_of_the_header_has_its_class(self) -> None:
        header = (ROOT / "include" / "consul_ffi.h").read_text()
        statuses = {int(n) for n in re.findall(r"#define CONSUL_ERR_\w+ \((-\d+)\)", header)}
        self.assertEqual({status for status in errors.BY_STATUS if status < 0}, statuses)
        self.assertEqual(len(set(errors.BY_STATUS.values())), len(errors.BY_STATUS))

    def test_classes_are_consul_errors_documented_and_public(self) -> None:
        for cls in errors.BY_STATUS.values():
            self.assertTrue(issubclass(cls, consul_ffi.ConsulError))
            self.assertIs(getattr(consul_ffi, cls.__name__), cls)
            self.assertTrue(cls.__doc__)

    def test_some_are_built_in_exceptions_too(self) -> None:
        self.assertTrue(issubclass(consul_ffi.Timeout, TimeoutError))
        self.assertTrue(issubclass(consul_ffi.ConnectError, ConnectionError))
        self.assertTrue(issubclass(consul_ffi.ArgumentError, ValueError))
        self.assertTrue(issubclass(consul_ffi.Denied, PermissionError))

    def test_a_status_that_this_package_does_not_know_is_a_consul_error(self) -> None:
        error = _outcome.new(-9999, "from the future")
        self.assertIs(type(error), consul_ffi.ConsulError)
        self.assertEqual((error.status, error.name), (-9999, "unknown status"))

    def test_an_error_can_be_pickled(self) -> None:
        for cls in errors.BY_STATUS.values():
            error = cls("text", status=-5, name="ERR", http_status=500, retryable=True)
            again = pickle.loads(pickle.dumps(error))
            self.assertIs(type(again), cls)
            self.assertEqual((str(again), again.__dict__), (str(error), error.__dict__))


class Fields(unittest.TestCase):
    def test_nobody_listens(self) -> None:
        with client_of("http://127.0.0.1:1") as client:
            with self.assertRaises(consul_ffi.ConnectError) as caught:
                client.kv.put("a", "b")
        error = caught.exception
        self.assertEqual((error.status, error.name), (_abi.CONSUL_ERR_CONNECT, "ERR_CONNECT"))
        self.assertTrue(error.retryable)
        self.assertFalse(error.outcome_unknown)
        self.assertEqual(error.endpoint, "http://127.0.0.1:1")
        self.assertEqual(error.http_status, 0)

    def test_a_write_without_an_answer_may_have_been_applied(self) -> None:
        def silent(connection: socket.socket) -> None:
            connection.recv(65536)

        with server(silent) as address, client_of(address) as client:
            with self.assertRaises(consul_ffi.ConsulError) as caught:
                client.kv.put("a", "b")
            self.assertTrue(caught.exception.outcome_unknown)

    def test_a_server_that_answers_too_late(self) -> None:
        def late(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.recv(1)  # until the client gives up

        with server(late) as address, client_of(address) as client:
            with self.assertRaises(TimeoutError) as caught:
                client.kv.get("a", timeout_ms=100)
        self.assertIsInstance(caught.exception, consul_ffi.Timeout)

    def test_an_http_failure_has_its_status_and_its_text(self) -> None:
        def refuse(connection: socket.socket) -> None:
            connection.recv(65536)
            head = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 17\r\n\r\n"
            connection.sendall(head + b"Permission denied")

        with server(refuse) as address, client_of(address) as client:
            with self.assertRaises(PermissionError) as caught:
                client.kv.get("a")
        error = caught.exception
        self.assertIsInstance(error, consul_ffi.Denied)
        self.assertEqual(error.http_status, 403)
        self.assertIn("Permission denied", str(error))


class BytesPath:
    def __fspath__(self) -> bytes:
        return b"a"


class Mistakes(ConsulTest):
    def test_an_unknown_setting_and_a_bad_value_say_what_is_allowed(self) -> None:
        with self.assertRaisesRegex(consul_ffi.ConfigError, "no_such"):
            consul_ffi.Client(no_such="x")  # type: ignore[call-arg]
        with self.assertRaisesRegex(ValueError, "from 1 to 86400000"):
            consul_ffi.Client(timeout_ms=0)
        with self.assertRaisesRegex(TypeError, "timeout_ms must be"):
            consul_ffi.Client(timeout_ms=1.5)  # type: ignore[arg-type]

    def test_files_may_be_paths_and_addresses_a_list(self) -> None:
        addresses = ["http://127.0.0.1:1", "http://127.0.0.1:2"]
        with tempfile.NamedTemporaryFile("w+") as file:
            given: dict[str, Any] = {"address": tuple(addresses), "token_file": Path(file.name)}
            # Without its token it would be somebody else.
            with self.assertRaisesRegex(consul_ffi.ConfigError, f"token_file {file.name}: it is empty"):
                consul_ffi.Client(environment=False, **given)
            Path(file.name).write_text("token")
            with consul_ffi.Client(environment=False, **given) as client:
                self.assertEqual([each.address for each in client.endpoints()], addresses)
                client.reload(environment=False, address=addresses[:1])
                self.assertEqual(len(client.endpoints()), 1)
        missing = Path("/does/not/exist.pem")
        with self.assertRaisesRegex(consul_ffi.ConfigError, str(missing)):
            consul_ffi.Client(environment=False, address="https://127.0.0.1:1", tls_ca_file=missing)
        for wrong, why in (([], "is an empty list"), (["a,b"], r"\[0\] has a comma"), (["a", ""], r"\[1\] is empty")):
            with self.assertRaisesRegex(consul_ffi.ConfigError, f"address{why}|address {why}"):
                consul_ffi.Client(address=wrong)
        with self.assertRaisesRegex(TypeError, r"address\[1\] must be a str, not int"):
            consul_ffi.Client(address=["a", 5])  # type: ignore[list-item]
        with self.assertRaisesRegex(TypeError, "token_file must be a str, not bytes"):
            consul_ffi.Client(token_file=BytesPath())  # type: ignore[arg-type]

    def test_a_setting_takes_what_its_type_says(self) -> None:
        wrong: dict[str, tuple[Any, str]] = {
            "http_auth": (("user", "password"), "a str, not tuple"),
            "token": (["a", "b"], "a str, not list"),
            "datacenter": (7, "a str, not int"),
            "address": (5, "a str or a list of them, not int"),
            "encryption_prefixes": ({"a": "b"}, "a str or a list of them, not dict"),
            "tls_ca_file": (["a"], "a str or a path, not list"),
            "timeout_ms": (True, "an int, not bool"),
            "wait_ms": (1.5, "an int, not float"),
            "tls_verify": (0, "a bool, not int"),
        }
        for name, (value, allowed) in wrong.items():
            with self.subTest(name), self.assertRaisesRegex(TypeError, f"^{name} must be {allowed}$"):
                consul_ffi.Client(environment=False, **{name: value})  # type: ignore[arg-type]

    def test_an_option_that_does_nothing_is_refused(self) -> None:
        client, spec = self.client, consul_ffi.ServiceSpec("web")
        aio = AsyncClient()
        calls: list[Callable[..., object]] = [
            functools.partial(client.lock, "a"),
            functools.partial(client.semaphore, "a", 1),
            functools.partial(client.election, "a"),
            functools.partial(client.service, spec),
            functools.partial(client.cluster, "a"),
            functools.partial(aio.lock, "a"),
            functools.partial(aio.service, spec),
        ]
        allowed = "allowed are datacenter, namespace, partition, token$"
        for call in calls:
            for name in ("timeout_ms", "consistency", "index", "filter", "node_meta", "no_such"):
                with self.assertRaisesRegex(TypeError, f"unknown option '{name}'; {allowed}"):
                    call(**{name: 300})
        with self.assertRaisesRegex(TypeError, "unknown option 'index'; allowed are .*, settle_ms,"):
            client.watch.key("a", index=5)
        with self.assertRaisesRegex(TypeError, "unknown option 'policy'; allowed are"):
            client.watch.key("a", policy="any")  # type: ignore[call-arg]
        with self.assertRaisesRegex(TypeError, "unknown option 'no_such'"):
            client.kv.get("a", no_such=None)  # type: ignore[call-arg]

    def test_an_unknown_option_says_what_is_allowed(self) -> None:
        with self.assertRaisesRegex(TypeError, "unknown option 'tiemout_ms'; allowed are cached,"):
            self.client.kv.get("a", tiemout_ms=5)  # type: ignore[call-arg]
        with self.assertRaisesRegex(consul_ffi.ConsulError, "default, consistent, stale"):
            self.client.kv.get("a", consistency="never")  # type: ignore[arg-type]

    def test_wrong_types_are_type_errors(self) -> None:
        with self.assertRaisesRegex(TypeError, "key must be a str, not bytes"):
            self.client.kv.get(b"a")  # type: ignore[arg-type]
        with self.assertRaisesRegex(TypeError, "value must be bytes or a str, not int"):
            self.client.kv.put("a", 5)  # type: ignore[arg-type]
        with self.assertRaisesRegex(TypeError, "flags must be an int, not float"):
            self.client.kv.put("a", b"", flags=1.0)  # type: ignore[arg-type]
        with self.assertRaisesRegex(TypeError, "service must be a ServiceSpec, not str"):
            self.client.service("web")  # type: ignore[arg-type]
        with self.assertRaisesRegex(TypeError, "session must be a SessionSpec, not dict"):
            self.client.session.create({"name": "a"})  # type: ignore[arg-type]

    def test_a_wrong_type_names_the_argument_and_what_is_allowed(self) -> None:
        client = self.client

        def service(**fields: Any) -> Callable[[], object]:
            return lambda: client.agent.service_register(ServiceSpec("web", **fields))

        def check(**fields: Any) -> Callable[[], object]:
            return lambda: client.agent.check_register(CheckSpec("check", **fields))

        def session(**fields: Any) -> Callable[[], object]:
            return lambda: client.session.create(SessionSpec(**fields))

        def watch(**options: Any) -> Callable[[], object]:
            return lambda: client.watch.service("web", **options)

        def nodes(**options: Any) -> Callable[[], object]:
            return lambda: client.catalog.nodes(**options)

        def request(query: Any) -> Callable[[], object]:
            return lambda: client.request("GET", "/v1/kv/a", query=query)

        def registration(**fields: Any) -> Callable[[], object]:
            return lambda: client.catalog.register(Registration("node", "127.0.0.1", **fields))

        anything: Any = object()
        calls: dict[str, Callable[[], object]] = {
            r"service.meta\['a'\] must be a str, not int": service(meta={"a": 5}),
            r"service.meta\['a'\] must be a str, not list": service(meta={"a": ["b"]}),
            r"service.meta must be a mapping of names to texts, not list": service(meta=["a"]),
            r"a name in service.meta must be a str, not int": service(meta={5: "a"}),
            r"meta\['a'\] must be a str, not int": lambda: client.cluster("a", meta={"a": 5}),  # type: ignore[dict-item]
            r"service.weights must be two ints \(passing, warning\), not int": service(weights=5),
            r"service.weights must be two ints .*, not tuple": service(weights=(1, 2, 3)),
            r"service.weights.warning must be an int, not str": service(weights=(1, "a")),
            r"settle_ms must be two ints \(shortest, longest\), not int": watch(settle_ms=5),
            r"settle_ms.longest must be an int, not str": watch(settle_ms=(5, "a")),
            r"floor must be two ints \(percent, hold_ms\), not int": watch(floor=50),
            r"last_good_file must be a str or a path, not int": watch(last_good_file=5),
            r"tags must be a list of texts, not int": watch(tags=5),
            r"policy must be 'passing' or .*, not \['any'\]": watch(policy=["any"]),
            r"service.checks must be a list of CheckSpec, not CheckSpec": service(
                checks=CheckSpec("a", ttl_ms=5000)
            ),
            r"service.checks\[0\] must be a CheckSpec, not str": service(checks=["a"]),
            r"service.checks\[0\].ttl_ms must be an int, not str": service(checks=[CheckSpec(ttl_ms="5")]),  # type: ignore[arg-type]
            r"service.tags must be a list of texts, not str": service(tags="a"),
            r"service.tagged_addresses\['lan'\] must be two \(address, port\), not str": service(
                tagged_addresses={"lan": "1.2.3.4"}
            ),
            r"service.tagged_addresses must be a mapping": service(tagged_addresses="1.2.3.4"),
            r"service.proxy must be what JSON can hold: .*object": service(proxy=anything),
            r"check.http_headers\['a'\] must be a list of texts, not int": check(http_headers={"a": 5}),
            r"check.docker must be a Docker, not str": check(script=["a"], docker="a"),
            r"check.script must be a list of texts, not str": check(script="a"),
            r"session.service_checks must be a list of .*, not str": session(service_checks="a"),
            r"session.service_checks\[0\] must be a str or a ServiceCheckRef, not int": session(
                service_checks=[5]
            ),
            r"session.behavior must be 'release' or 'delete', not \[\]": session(behavior=[]),
            r"query must be a mapping of names to values, not str": request("recurse"),
            r"query\['a'\] must be a str, an int, a bool or None, or a list of them, not float": request({"a": 1.5}),
            r"query\['a'\]\[1\] must be a str, an int, a bool or None, not dict": request({"a": ["b", {}]}),
            r"a name in query must be a str, not int": request({5: "a"}),
            r"node_meta must be a mapping of names to texts, not list": nodes(node_meta=["a"]),
            r"node_meta\['a'\] must be a str, not int": nodes(node_meta={"a": 5}),
            r"tags must be a list of texts, not str": lambda: client.health.service("a", tags="b"),
            r"registration.checks\[0\] must be a CatalogCheck, not CheckSpec": registration(
                checks=[CheckSpec("a", ttl_ms=5000)]
            ),
            r"registration.service must be a ServiceSpec, not str": registration(service="web"),
            r"nodes must be a mapping or a list of texts, not int": lambda: consul_ffi.Ring(5),  # type: ignore[arg-type]
        }
        for message, call in calls.items():
            # A wrong choice is a wrong value.
            with self.subTest(message), self.assertRaisesRegex((TypeError, ValueError), f"^{message}"):
                call()
        with self.assertRaisesRegex(consul_ffi.ArgumentError, r"service.checks\[0\] has no kind.*ttl_ms"):
            service(checks=[CheckSpec()])()

    def test_a_text_that_is_no_utf8_is_named(self) -> None:
        with self.assertRaisesRegex(consul_ffi.ArgumentError, "key has half a surrogate .* 1, which"):
            self.client.kv.get("a\udc80")
        with self.assertRaisesRegex(consul_ffi.ArgumentError, "value has half a surrogate .* 0, which"):
            self.client.kv.put("a", "\ud800")

    def test_what_is_open_is_neither_pickled_nor_deeply_copied(self) -> None:
        lock = self.client.lock("a")
        for thing in (self.client, lock, self.client.txn(), self.client.watch.key("a")):
            with self.assertRaisesRegex(TypeError, "cannot be pickled or deeply copied"):
                pickle.dumps(thing)
            with self.assertRaisesRegex(TypeError, "make a client of its own"):
                copy.deepcopy(thing)

    def test_what_was_closed_says_so(self) -> None:
        lock, watch, queue = self.client.lock("a"), self.client.watch.key("a"), consul_ffi.Queue()
        service = self.client.service(consul_ffi.ServiceSpec("web"))
        self.assertEqual(repr(queue), "<consul_ffi.Queue 0 expected>")
        self.assertEqual(repr(lock), "<consul_ffi.Lock a not held>")
        for closed in (lock, watch, queue, service):
            closed.close()
        calls: dict[str, Callable[[], object]] = {
            "the lock was closed": lambda: lock.acquire(0),
            "the watch was closed": watch.stats,
            "the service was closed": service.start,
            "the queue was closed": lambda: self.client.on(queue).kv.get("a"),
        }
        for expected, call in calls.items():
            with self.assertRaisesRegex(consul_ffi.ConsulError, expected):
                call()
        self.assertEqual(repr(queue), "<consul_ffi.Queue closed>")
        self.assertEqual(repr(lock), "<consul_ffi.Lock a closed>")

    def test_a_closed_client_says_so(self) -> None:
        client = self.client
        client.close()
        client.close()
        calls: list[Callable[[], object]] = [
            lambda: client.kv.get("a"),
            lambda: client.lock("a"),
            lambda: client.semaphore("a", 1),
            lambda: client.election("a"),
            lambda: client.cluster("a"),
            lambda: client.service(consul_ffi.ServiceSpec("a")),
            lambda: client.watch.key("a"),
            lambda: client.session.start(consul_ffi.SessionSpec()),
            lambda: client.txn().get("a").commit(),
            lambda: client.set_token("a"),
            lambda: client.reload(),
        ]
        for call in calls:
            with self.assertRaisesRegex(consul_ffi.Closed, "the client was closed"):
                call()
        self.assertEqual(repr(self.client), "<consul_ffi.Client closed>")


if __name__ == "__main__":
    unittest.main()
