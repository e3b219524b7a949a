"""The checker finds what is planted, and nothing where all was well."""

import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

import checker
from history import FAILED, OK, UNKNOWN, Calm, Call, History, Holding, Left, Load


def put(value, began, ended, outcome=OK, key="k", kind="put"):
    return Call(kind, key, began, ended, outcome, 10, value=value)


def read(value, began, ended, mode="consistent", key="k", index=None, outcome=OK):
    number = index if index is not None else int(value or 0)
    return Call("read", key, began, ended, outcome, 10, value=value, index=number, mode=mode)


def found(find, *calls, **fields):
    return list(find(History(calls=list(calls), **fields)))


class Writes(unittest.TestCase):
    def test_a_quiet_history_is_well(self):
        history = History(
            calls=[put("1", 0, 1), read("1", 2, 3), put("2", 4, 5), read("2", 6, 7)],
            holdings=[Holding("l", "a", 1, 0, 1), Holding("l", "b", 2, 1, 2)],
            calms=[Calm("w", "kill", 3, 1.0)],
            left=[Left("threads", 3, 3)],
        )
        self.assertEqual(checker.show(checker.check(history)), 0)

    def test_a_lost_write(self):
        self.assertTrue(found(checker.lost, put("1", 0, 1), put("2", 2, 3), read("1", 4, 5)))

    def test_a_lost_first_write(self):
        self.assertTrue(found(checker.lost, put("1", 0, 1), read(None, 2, 3)))

    def test_a_lost_create(self):
        created = put("1", 0, 1, kind="create")
        self.assertTrue(found(checker.lost, created, read(None, 2, 3)))
        self.assertFalse(found(checker.lost, replace(created, outcome=UNKNOWN), read(None, 2, 3)))

    def test_a_read_beside_the_write_may_find_either(self):
        for value in ("1", "2"):
            self.assertFalse(found(checker.lost, put("1", 0, 1), put("2", 2, 5), read(value, 3, 4)))

    def test_a_stale_read_may_be_old(self):
        calls = put("1", 0, 1), put("2", 2, 3), read("1", 4, 5, mode="stale")
        self.assertFalse(found(checker.lost, *calls))

    def test_an_unknown_write_may_come_after_a_later_one(self):
        unknown, later = put("1", 0, 1, UNKNOWN), put("2", 2, 3)
        self.assertFalse(found(checker.lost, unknown, later, read("2", 4, 5), read("1", 6, 7)))

    def test_an_unknown_write_that_was_seen_does_not_come_again(self):
        calls = put("1", 0, 1, UNKNOWN), read("1", 2, 3), put("2", 4, 5), read("1", 6, 7)
        self.assertTrue(found(checker.lost, *calls))

    def test_two_writes_at_once_may_end_either_way(self):
        for value in ("1", "2"):
            self.assertFalse(found(checker.lost, put("1", 0, 3), put("2", 1, 2), read(value, 4, 5)))

    def test_a_write_that_failed_for_certain_is_never_read(self):
        self.assertTrue(found(checker.origin, put("1", 0, 1, FAILED), read("1", 2, 3)))
        self.assertFalse(found(checker.origin, put("1", 0, 1, UNKNOWN), read("1", 2, 3)))

    def test_a_value_from_nowhere(self):
        self.assertTrue(found(checker.origin, read("1", 2, 3)))
        self.assertTrue(found(checker.origin, put("1", 4, 5), read("1", 2, 3)))

    def test_a_write_that_took_effect_twice(self):
        self.assertTrue(found(checker.order, read("1", 0, 1, index=5), read("1", 2, 3, index=7)))

    def test_a_read_that_goes_back(self):
        first, second = read("2", 0, 2), read("1", 3, 4)
        self.assertTrue(found(checker.order, first, second))
        self.assertFalse(found(checker.order, first, replace(second, began=1)))
        self.assertFalse(found(checker.order, first, replace(second, mode="stale")))

    def test_a_stale_read_that_failed(self):
        self.assertTrue(found(checker.stale, read(None, 0, 1, mode="stale", outcome=FAILED)))
        self.assertFalse(found(checker.stale, read(None, 0, 1, outcome=FAILED)))


class Locks(unittest.TestCase):
    def test_two_holders_at_once(self):
        first = Holding("l", "a", 1, 0, 5)
        second = Holding("l", "b", 2, 4, 6)
        self.assertTrue(found(checker.overlap, holdings=[second, first]))
        self.assertFalse(found(checker.overlap, holdings=[first, replace(second, lock="m")]))
        self.assertFalse(found(checker.overlap, holdings=[first, replace(second, since=5)]))

    def test_a_short_holding_within_a_long_one_hides_nothing(self):
        holdings = [
            Holding("l", "a", 1, 0, 9),
            Holding("l", "b", 2, 1, 2),
            Holding("l", "c", 3, 3, 4),
        ]
        self.assertEqual(len(found(checker.overlap, holdings=holdings)), 2)

    def test_a_token_that_does_not_grow(self):
        for token in (1, 2):
            holdings = [Holding("l", "a", 2, 0, 1), Holding("l", "b", token, 2, 3)]
            self.assertTrue(found(checker.tokens, holdings=holdings))

    def test_a_late_writer(self):
        writes = (
            put("5.1", 0, 1, key="g", kind="guarded"),
            put("7.1", 2, 3, key="g", kind="guarded"),
        )
        early, late = read("7.1", 4, 5, key="g", index=11), read("5.1", 6, 7, key="g", index=12)
        self.assertTrue(found(checker.tokens, *writes, early, late))
        self.assertFalse(found(checker.tokens, *writes, early, replace(late, index=10)))


class Rest(unittest.TestCase):
    def test_a_blind_watch(self):
        for took in (None, 5.5):
            self.assertTrue(found(checker.blind, calms=[Calm("w", "freeze", 0, took)]))
        self.assertFalse(found(checker.blind, calms=[Calm("w", "freeze", 0, 4.9)]))
        overslept = [(2.0, 1.0)]
        self.assertFalse(found(checker.blind, calms=[Calm("w", "f", 0, 5.5)], late=overslept))

    def test_a_late_call(self):
        call = replace(put("1", 0, 12), timeout=10)
        self.assertTrue(found(checker.deadline, call))
        self.assertTrue(found(checker.deadline, call, late=[(5, 1.0), (13, 1.0)]))
        self.assertFalse(found(checker.deadline, call, late=[(11, 1.0), (12, 1.0)]))

    def test_what_is_left(self):
        self.assertTrue(found(checker.left, left=[Left("sessions", 1, 0)]))

    def test_a_history_is_written_and_read(self):
        history = History(
            calls=[put("1", 0, 1)],
            late=[(1.0, 0.5)],
            calms=[Calm("w", "f", 0, None)],
            loads=[Load("reads", 0, 1, True, "the library", "here")],
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "history.json"
            history.save(path)
            self.assertEqual(History.load(path), history)


if __name__ == "__main__":
    unittest.main()
