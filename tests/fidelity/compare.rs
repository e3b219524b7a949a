//! Two agents, the same sequence: the first answer in which they differ.

use crate::sequence::Sequence;
use crate::side::{Run, Side};
use std::time::Duration;

/// Two agents, of which each has seen the same as the other.
pub struct Pair {
    pub left: Side,
    pub right: Side,
    /// How often a sequence was run, for names that are new each time.
    runs: usize,
}

/// Where two agents differ.
pub struct Difference {
    pub sequence: Sequence,
    /// What tells it from others: the method and the path's first words.
    pub kind: String,
    /// The steps as they were sent, and both answers to the first that shows it.
    pub report: String,
}

/// Longer than that, and TTLs of the agents may have passed.
const QUICK: Duration = Duration::from_secs(5);

impl Pair {
    pub fn new(left: Side, right: Side) -> Pair {
        Pair { left, right, runs: 0 }
    }

    /// Runs the sequence at both.
    pub fn compare(&mut self, sequence: &Sequence) -> Option<Difference> {
        for _ in 0..3 {
            let (difference, took) = self.once(sequence);
            if took < QUICK {
                return difference;
            }
        }
        None
    }

    fn once(&mut self, sequence: &Sequence) -> (Option<Difference>, Duration) {
        self.runs += 1;
        let name = format!("q{:06}", self.runs);
        let (left, right) = (self.left.run(&name, sequence), self.right.run(&name, sequence));
        let took = left.took.max(right.took);
        let differs = (0..left.answers.len().max(right.answers.len()))
            .find(|&at| left.answers.get(at) != right.answers.get(at));
        let difference = differs.map(|at| {
            // What comes after tells what an index is compared with.
            let first_line = |run: &Run, at: usize| {
                let answer = run.answers.get(at).map_or("", String::as_str);
                answer.lines().next().unwrap_or_default().to_owned()
            };
            let sent: String = left
                .steps
                .iter()
                .enumerate()
                .map(|(at, step)| {
                    let (one, other) = (first_line(&left, at), first_line(&right, at));
                    format!("    {step}\n        {one} | {other}\n")
                })
                .collect();
            let shown = |answers: &[String]| answers.get(at).cloned().unwrap_or_default();
            let (left_says, right_says) = (shown(&left.answers), shown(&right.answers));
            let step = &left.steps[at.min(left.steps.len() - 1)];
            let path = step.target.split('?').next().unwrap_or_default();
            let words: Vec<_> = path
                .split('/')
                .skip(2)
                .take(3)
                .filter(|w| {
                    !w.contains(&name)
                        && !w.contains(self.left.node())
                        && !w.contains(self.right.node())
                })
                .collect();
            Difference {
                sequence: sequence.clone(),
                kind: format!("{} {}", step.method.as_str(), words.join("/")),
                report: format!("{sent}  left:  {left_says}\n  right: {right_says}"),
            }
        });
        (difference, took)
    }

    /// The difference with as few steps as still show one.
    pub fn shrink(&mut self, difference: Difference) -> Difference {
        let mut least = difference;
        let mut at = least.sequence.steps.len();
        while at > 0 {
            at -= 1;
            let mut fewer = least.sequence.clone();
            fewer.steps.remove(at);
            if let Some(found) = self.compare(&fewer).filter(|found| found.kind == least.kind) {
                least = found;
            }
        }
        least
    }
}
