"""Sessions, and those that the library keeps alive."""

from __future__ import annotations

import gc
import math
import unittest

import consul_ffi
from consul_ffi import ServiceCheckRef, SessionSpec
from helper import ConsulTest, prefix


class Sessions(ConsulTest):
    def test_a_session_is_what_was_described(self) -> None:
        name = prefix()
        spec = SessionSpec(
            name=name, ttl_ms=20_000, lock_delay_ms=0, behavior="delete", node_checks=[]
        )
        session = self.client.session.create(spec)
        found = self.client.session.info(session)
        self.assertEqual((found.id, found.name), (session, name))
        self.assertEqual((found.ttl_ms, found.lock_delay_ms), (20_000, 0))
        self.assertEqual((found.behavior, found.node_checks), ("delete", ()))
        self.assertEqual(self.client.session.renew(session).id, session)
        self.assertIn(session, [each.id for each in self.client.session.list()])
        self.assertIn(session, [each.id for each in self.client.session.node(found.node)])
        self.client.session.destroy(session)
        self.client.session.destroy(session)
        self.assertIsNone(self.client.session.info(session))
        self.assertGreater(self.client.session.info_with_meta(session)[1].index, 0)
        with self.assertRaises(consul_ffi.SessionInvalid):
            self.client.session.renew(session)

    def test_checks_of_services_reach_consul(self) -> None:
        with self.assertRaisesRegex(consul_ffi.ConsulError, "no-such-check"):
            spec = SessionSpec(service_checks=["no-such-check", ServiceCheckRef("another")])
            self.client.session.create(spec)

    def test_a_description_that_cannot_be_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "session.behavior must be 'release' or 'delete'"):
            self.client.session.create(SessionSpec(behavior="keep"))
        with self.assertRaises(consul_ffi.ArgumentError):
            self.client.session.create(SessionSpec(ttl_ms=1))
        with self.assertRaisesRegex(TypeError, "session.node_checks must be a list of texts"):
            self.client.session.create(SessionSpec(node_checks="serfHealth"))


class KeptSessions(ConsulTest):
    def test_a_kept_session_lives_for_the_block(self) -> None:
        with self.client.session.start(SessionSpec(ttl_ms=60_000)) as session:
            self.assertTrue(session.is_valid)
            self.assertEqual(session.generation, 1)
            self.assertTrue(0 < session.remaining_ms <= 60_000)
            self.assertEqual(self.client.session.info(session).ttl_ms, 60_000)
            kept = session.id
        self.assertIsNone(self.client.session.info(kept))
        self.assertEqual(session.id, kept)
        self.assertFalse(session.is_valid)

    def test_one_without_a_ttl_remains_for_ever(self) -> None:
        with self.client.session.start(SessionSpec(ttl_ms=0)) as session:
            self.assertEqual(session.remaining_ms, math.inf)

    def test_one_that_is_lost_is_made_anew_where_asked(self) -> None:
        with self.client.session.start(SessionSpec(ttl_ms=60_000), recreate=True) as session:
            first = session.id
            self.client.session.destroy(first)
            # Destroyed through this client, it is known at once and not made anew.
            self.assertIn(session.generation, (1, 2))

    def test_one_that_is_stopped_stays_at_consul(self) -> None:
        session = self.client.session.start()
        session.stop()
        session.close()
        self.assertIsNotNone(self.client.session.info(session.id))
        self.client.session.destroy(session)

    def test_one_that_is_forgotten_ends(self) -> None:
        name = prefix()
        self.client.session.start(SessionSpec(name=name))
        gc.collect()
        self.wait_no_session(name)

    def test_closing_the_client_ends_it(self) -> None:
        name = prefix()
        with consul_ffi.Client() as client:
            client.session.start(SessionSpec(name=name))
            session = client.session.start(SessionSpec(name=name))
        self.assertEqual([s for s in self.client.session.list() if s.name == name], [])
        self.assertFalse(session.is_valid)

    def test_the_error_of_the_block_goes_on(self) -> None:
        name = prefix()
        with self.assertRaises(ZeroDivisionError):
            with self.client.session.start(SessionSpec(name=name)):
                1 / 0
        self.wait_no_session(name)


if __name__ == "__main__":
    unittest.main()
