//! Whose turn it is to ask, and how: more queries than connections take turns. Pure, without
//! network, clock or threads.
//!
//! While there is a connection for each query and one to spare, each asks for as long as it likes.
//! Beyond that some do, and the others take turns on the connections that are left: a few wait in
//! turn, many only look, all of them together once in a [`CYCLE`]: that took a fifth of the processor
//! time of looks at times of their own, each of which woke the thread twice. Nothing is ever cut short
//! for another's turn: Consul 1.8 keeps the place of a query that was given up until its wait is over.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

/// Within which time every query has its turn, as long as Consul answers at once.
pub(super) const CYCLE: Duration = Duration::from_millis(1500);

/// As many queries take turns on one connection at most, where there are enough connections. So an
/// agent may take 50 ms for each answer; and answers that come together wake the thread once: the looks
/// of 100 queries did so 50 times a second on one connection, 20 to 30 times on four.
const TURNS_PER_CONNECTION: usize = 30;

/// Whose share of a cycle is shorter does not wait, and looks.
const SHORTEST_WAIT: Duration = Duration::from_millis(200);

/// Names a query.
pub(super) type Id = u64;

/// What a query may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Connections of the address that queries may use.
    pub(super) connections: usize,
    /// How long it would like to wait.
    pub(super) wait: Duration,
    /// Whether its next request waits at all.
    pub(super) waits: bool,
}

/// How a query asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// With the index that it knows, for as long.
    Wait(Duration),
    /// Without one: it is answered at once.
    Look,
}

/// The turns of the queries of one address.
#[derive(Debug, Default)]
pub(super) struct Turns {
    stages: HashMap<Id, Stage>,
    due: BTreeSet<(Duration, Id)>,
    ready: VecDeque<Id>,
    flying: usize,
    /// Of those that fly, the ones that wait as long as they like.
    long: usize,
    /// When Consul will have forgotten queries that were given up.
    ghosts: Vec<Duration>,
    /// When those that look do so again.
    round: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Due(Duration),
    Ready,
    Flying {
        long: bool,
        /// When Consul has answered at the latest.
        until: Duration,
        /// When its next turn may be.
        again: Duration,
    },
}

impl Turns {
    /// Has this query ask at this time. One that flies goes on flying.
    pub(super) fn schedule(&mut self, id: Id, at: Duration) {
        match self.stages.get(&id) {
            Some(Stage::Flying { .. } | Stage::Ready) => return,
            Some(&Stage::Due(before)) => drop(self.due.remove(&(before, id))),
            None => {}
        }
        self.stages.insert(id, Stage::Due(at));
        self.due.insert((at, id));
    }

    /// The next one whose turn it is, and how it asks.
    pub(super) fn take(
        &mut self,
        now: Duration,
        limits: impl Fn(Id) -> Limits,
    ) -> Option<(Id, Turn)> {
        self.promote(now);
        self.ghosts.retain(|&until| until > now);
        loop {
            let &id = self.ready.front()?;
            if self.stages.get(&id) != Some(&Stage::Ready) {
                self.ready.pop_front();
                continue;
            }
            let limits = limits(id);
            if self.flying >= limits.connections.max(1) {
                return None;
            }
            self.ready.pop_front();
            return Some((id, self.fly(id, now, limits)));
        }
    }

    /// Its answer has come. Gives when its next turn may be.
    pub(super) fn landed(&mut self, id: Id) -> Duration {
        let Some(Stage::Flying { long, again, .. }) = self.stages.get(&id).copied() else {
            return Duration::ZERO;
        };
        self.flying -= 1;
        self.long -= usize::from(long);
        self.stages.remove(&id);
        again
    }

    /// It is not wanted any more.
    pub(super) fn remove(&mut self, id: Id) {
        match self.stages.get(&id).copied() {
            Some(Stage::Due(at)) => drop(self.due.remove(&(at, id))),
            Some(Stage::Flying { until, .. }) => {
                self.landed(id);
                self.ghosts.push(until);
            }
            _ => {}
        }
        self.stages.remove(&id);
    }

    /// Whether there is one that was given up and that Consul has not forgotten.
    pub(super) fn remembers(&self, now: Duration) -> bool {
        self.ghosts.iter().any(|&until| until > now)
    }

    /// When somebody is due next.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.due.first().map(|&(at, _)| at)
    }

    fn promote(&mut self, now: Duration) {
        while let Some(&(at, id)) = self.due.first()
            && at <= now
        {
            self.due.pop_first();
            self.stages.insert(id, Stage::Ready);
            self.ready.push_back(id);
        }
    }

    fn fly(&mut self, id: Id, now: Duration, limits: Limits) -> Turn {
        let connections = limits.connections.max(1);
        let turning = self.stages.len().div_ceil(TURNS_PER_CONNECTION).clamp(1, connections);
        let long = limits.waits && self.long + self.ghosts.len() < connections - turning;
        let turn = match (limits.waits, long) {
            (false, _) => Turn::Look,
            (true, true) => Turn::Wait(limits.wait),
            (true, false) => self.turn(connections, limits.wait),
        };
        let held = match turn {
            Turn::Wait(wait) => wait + wait / 16,
            Turn::Look => Duration::ZERO,
        };
        // Those that take turns ask once a cycle, however soon they are answered.
        let again = match turn {
            Turn::Look if limits.waits => self.round(now),
            Turn::Wait(_) if !long => now + CYCLE,
            _ => Duration::ZERO,
        };
        self.stages.insert(id, Stage::Flying { long, until: now + held, again });
        self.flying += 1;
        self.long += usize::from(long);
        turn
    }

    /// How one of those that take turns asks, which would like to wait for so long.
    fn turn(&self, connections: usize, wait: Duration) -> Turn {
        if self.ghosts.len() >= connections {
            // Consul still waits for as many that were given up.
            return Turn::Look;
        }
        let free = connections.saturating_sub(self.long).max(1);
        let sharers = self.stages.len().saturating_sub(self.long).max(1);
        let share = CYCLE.mul_f64((free as f64 / sharers as f64).min(1.0));
        if share < SHORTEST_WAIT {
            return Turn::Look;
        }
        // Consul adds up to a sixteenth. Whole milliseconds, as they are sent: an answer that seems to
        // come before its time is followed by another request.
        let ms = (share * 16 / 17).as_millis() as u64;
        Turn::Wait(Duration::from_millis(ms).min(wait))
    }

    /// When those that look now do so again, all at the same time.
    fn round(&mut self, now: Duration) -> Duration {
        if self.round <= now {
            self.round = now + CYCLE;
        }
        self.round
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    const WAIT: Duration = Duration::from_secs(30);

    fn limits(connections: usize) -> Limits {
        Limits { connections, wait: WAIT, waits: true }
    }

    fn take(turns: &mut Turns, now: Duration) -> Option<(Id, Turn)> {
        turns.take(now, |_| limits(12))
    }

    fn ms(time: u64) -> Duration {
        Duration::from_millis(time)
    }

    /// A Consul that nothing ever happens in: how long each query went unasked at most, how many
    /// flew at once, and how many requests there were.
    fn quiet(count: u64, connections: usize, time: Duration) -> (Duration, usize, usize) {
        let mut turns = Turns::default();
        (0..count).for_each(|id| turns.schedule(id, Duration::ZERO));
        let mut answers = BinaryHeap::new();
        let mut covered = vec![Duration::ZERO; count as usize];
        let (mut now, mut gap, mut most, mut requests) = (Duration::ZERO, Duration::ZERO, 0, 0);
        while now < time {
            while let Some((id, turn)) = turns.take(now, |_| limits(connections)) {
                gap = gap.max(now.saturating_sub(covered[id as usize]));
                requests += 1;
                let wait = match turn {
                    Turn::Wait(wait) => wait,
                    Turn::Look => Duration::ZERO,
                };
                let answer = now + wait + wait / 16 + ms(1) / 2;
                covered[id as usize] = answer;
                answers.push(Reverse((answer, id)));
            }
            most = most.max(answers.len());
            let next = answers.peek().map(|Reverse((answer, _))| *answer);
            if let Some(due) = turns.next_due().filter(|&due| next.is_none_or(|next| due < next)) {
                now = now.max(due);
                continue;
            }
            let Some(Reverse((answer, id))) = answers.pop() else { break };
            now = answer;
            let again = turns.landed(id);
            turns.schedule(id, now.max(again));
        }
        // Those that have not had their turn again.
        let asked: Vec<u64> = answers.iter().map(|Reverse((_, id))| *id).collect();
        let waiting = (0..count).filter(|id| !asked.contains(id));
        let late = waiting.map(|id| now.saturating_sub(covered[id as usize])).max();
        (gap.max(late.unwrap_or_default()), most, requests)
    }

    #[test]
    fn while_they_fit_each_waits_as_long_as_it_likes() {
        let (gap, most, requests) = quiet(11, 12, Duration::from_secs(300));
        assert_eq!((gap, most), (Duration::ZERO, 11));
        assert!(requests <= 11 * 11, "{requests}");
    }

    #[test]
    fn beyond_that_each_has_its_turn_in_time() {
        for (count, connections) in [
            (12, 12),
            (13, 12),
            (18, 12),
            (19, 12),
            (40, 12),
            (100, 12),
            (1000, 12),
            (2, 1),
            (50, 2),
        ] {
            let (gap, most, _) = quiet(count, connections, Duration::from_secs(200));
            assert!(gap < Duration::from_secs(2), "{count} on {connections}: {gap:?}");
            assert!(most <= connections, "{count} on {connections}: {most} at once");
        }
    }

    #[test]
    fn a_thousand_ask_no_more_often_than_they_must() {
        let (_, _, requests) = quiet(1000, 12, Duration::from_secs(60));
        // Once a cycle each, and a little.
        assert!(requests < 1000 * 60 * 2 / 3 * 11 / 10, "{requests}");
    }

    #[test]
    fn those_that_look_do_so_at_the_same_time() {
        let mut turns = Turns::default();
        (0..100).for_each(|id| turns.schedule(id, Duration::ZERO));
        let mut times = Vec::new();
        // Each is answered a little after the one before.
        for now in (0..100).map(ms) {
            let (id, turn) = take(&mut turns, now).unwrap();
            if turn == Turn::Look {
                let again = turns.landed(id);
                turns.schedule(id, again);
                times.push(again);
            }
        }
        assert_eq!(times, [CYCLE + ms(8); 92]);
    }

    #[test]
    fn a_few_wait_in_turn_and_for_whole_milliseconds_as_they_are_sent() {
        let mut turns = Turns::default();
        (0..16).for_each(|id| turns.schedule(id, Duration::ZERO));
        let asked: Vec<_> = std::iter::from_fn(|| take(&mut turns, Duration::ZERO)).collect();
        assert!(asked[..11].iter().all(|&(_, turn)| turn == Turn::Wait(WAIT)));
        // One connection for five of them.
        assert_eq!(asked[11..], [(11, Turn::Wait(ms(282)))]);
    }

    #[test]
    fn one_that_was_given_up_keeps_its_place_until_consul_has_forgotten_it() {
        let mut turns = Turns::default();
        for id in 0..11 {
            turns.schedule(id, Duration::ZERO);
            assert_eq!(take(&mut turns, Duration::ZERO), Some((id, Turn::Wait(WAIT))));
            turns.remove(id);
        }
        // Long waits are used up, short ones are not.
        turns.schedule(20, ms(1));
        let (_, turn) = take(&mut turns, ms(1)).unwrap();
        assert!(matches!(turn, Turn::Wait(wait) if wait < CYCLE), "{turn:?}");
        turns.landed(20);
        turns.schedule(20, WAIT * 2);
        assert_eq!(take(&mut turns, WAIT * 2), Some((20, Turn::Wait(WAIT))));
    }

    #[test]
    fn who_may_not_wait_asks_once_a_cycle_all_the_same() {
        let mut turns = Turns { ghosts: vec![WAIT; 12], ..Turns::default() };
        turns.schedule(1, Duration::ZERO);
        assert_eq!(take(&mut turns, ms(0)), Some((1, Turn::Look)));
        assert_eq!(turns.landed(1), CYCLE);
        // What is answered at once is not kept waiting.
        turns.schedule(2, Duration::ZERO);
        turns.take(ms(0), |_| Limits { waits: false, ..limits(12) });
        assert_eq!(turns.landed(2), Duration::ZERO);
    }

    #[test]
    fn opening_and_closing_in_a_loop_does_not_pile_up_waits_at_consul() {
        let mut turns = Turns::default();
        let mut ends = Vec::new();
        for id in 0..1000 {
            let now = ms(id);
            turns.schedule(id, now);
            if let Some((_, Turn::Wait(wait))) = take(&mut turns, now) {
                ends.push(now + wait + wait / 16);
            }
            turns.remove(id);
        }
        let at_once = |now| ends.iter().filter(|&&end| end > now).count();
        assert!(at_once(ms(1000)) <= 12, "{}", at_once(ms(1000)));
    }

    #[test]
    fn what_is_removed_has_no_turn() {
        let mut turns = Turns::default();
        turns.schedule(1, ms(5));
        turns.schedule(2, ms(5));
        turns.schedule(3, ms(9));
        assert_eq!(turns.take(ms(0), |_| limits(4)), None);
        assert_eq!(turns.next_due(), Some(ms(5)));
        turns.promote(ms(5));
        turns.remove(1);
        turns.remove(3);
        assert_eq!(turns.take(ms(9), |_| limits(4)).map(|(id, _)| id), Some(2));
        assert_eq!((turns.take(ms(9), |_| limits(4)), turns.next_due()), (None, None));
    }
}
