//! A small matcher for parsing expression grammars, which fails with the words of the one that
//! Consul's filters are parsed with: what was expected at the farthest place reached, and the
//! errors that a grammar states itself.

use std::collections::{BTreeSet, HashMap};

/// Rules within rules, at most: the stack must bear it, and Consul's own parser takes twice the time
/// for every two.
const DEEPEST: usize = 200;

/// A rule, as its place in the grammar.
pub(super) type RuleId = usize;

/// One rule of a grammar.
pub(super) struct Rule {
    /// As an error names it.
    pub(super) shown: &'static str,
    pub(super) body: Expr,
}

/// What a rule consists of.
pub(super) enum Expr {
    Literal(&'static str),
    /// One character of a class, and how an error writes the class.
    Class(&'static str, fn(char) -> bool),
    Any,
    Rule(RuleId),
    Seq(Vec<Expr>),
    Choice(Vec<Expr>),
    Optional(Box<Expr>),
    Star(Box<Expr>),
    Plus(Box<Expr>),
    And(Box<Expr>),
    Not(Box<Expr>),
    /// Never matches, and is an error of the whole text.
    Error(&'static str),
    /// Matches when the inner one does; what is then wrong with the text is an error of the whole.
    Checked(Box<Expr>, fn(&str) -> Result<(), &'static str>),
}

/// What a rule has matched.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) rule: RuleId,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) children: Vec<Node>,
}

/// Matches the whole text by the first rule.
pub(super) fn parse(grammar: &[Rule], text: &str) -> Result<Node, String> {
    let mut parser = Parser::new(grammar, text);
    let found = parser.rule(0, 0);
    let mut errors = parser.errors;
    match found {
        Some(node) if errors.is_empty() => return Ok(node),
        None if errors.is_empty() => {
            let place = Place::of(text, parser.farthest);
            errors.push(format!("{place}: no match found, expected: {}", listed(&parser.expected)));
        }
        _ => {}
    }
    Err(errors.join("\n"))
}

struct Parser<'a> {
    grammar: &'a [Rule],
    text: &'a str,
    /// The rules that are being tried, the innermost last.
    rules: Vec<RuleId>,
    /// Inside an odd number of "not".
    inverted: bool,
    farthest: usize,
    expected: BTreeSet<String>,
    errors: Vec<String>,
    /// A rule tried at the same place again has the same outcome and the same failures.
    known: HashMap<(RuleId, usize, bool), Option<Node>>,
}

impl<'a> Parser<'a> {
    fn new(grammar: &'a [Rule], text: &'a str) -> Self {
        Parser {
            grammar,
            text,
            rules: Vec::new(),
            inverted: false,
            farthest: 0,
            expected: BTreeSet::new(),
            errors: Vec::new(),
            known: HashMap::new(),
        }
    }

    fn rule(&mut self, rule: RuleId, at: usize) -> Option<Node> {
        if self.rules.len() == DEEPEST {
            self.error(at, "nested too deeply");
            return None;
        }
        let key = (rule, at, self.inverted);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        self.rules.push(rule);
        let mut children = Vec::new();
        let grammar = self.grammar;
        let end = self.expr(&grammar[rule].body, at, &mut children);
        self.rules.pop();
        let found = end.map(|end| Node { rule, start: at, end, children });
        self.known.insert(key, found.clone());
        found
    }

    /// Where the match ends; what rules matched on the way is added to `out`.
    fn expr(&mut self, expr: &Expr, at: usize, out: &mut Vec<Node>) -> Option<usize> {
        match expr {
            Expr::Literal(text) => {
                let end = self.text[at..].starts_with(text).then(|| at + text.len());
                self.note(end.is_none(), at, || format!("{text:?}"));
                end
            }
            Expr::Class(shown, holds) => {
                let next = self.text[at..].chars().next().filter(|&c| holds(c));
                self.note(next.is_none(), at, || (*shown).to_string());
                next.map(|c| at + c.len_utf8())
            }
            Expr::Any => {
                let next = self.text[at..].chars().next();
                self.note(next.is_none(), at, || ".".to_string());
                next.map(|c| at + c.len_utf8())
            }
            Expr::Rule(rule) => {
                let node = self.rule(*rule, at)?;
                let end = node.end;
                out.push(node);
                Some(end)
            }
            Expr::Seq(all) => self.seq(all, at, out),
            Expr::Choice(any) => any.iter().find_map(|one| self.attempt(one, at, out)),
            Expr::Optional(inner) => Some(self.attempt(inner, at, out).unwrap_or(at)),
            Expr::Star(inner) => Some(self.repeat(inner, at, out)),
            Expr::Plus(inner) => {
                let first = self.attempt(inner, at, out)?;
                Some(self.repeat(inner, first, out))
            }
            Expr::And(inner) => self.expr(inner, at, &mut Vec::new()).map(|_| at),
            Expr::Not(inner) => {
                self.inverted = !self.inverted;
                let found = self.expr(inner, at, &mut Vec::new());
                self.inverted = !self.inverted;
                found.is_none().then_some(at)
            }
            Expr::Error(text) => {
                self.error(at, text);
                None
            }
            Expr::Checked(inner, check) => {
                let end = self.attempt(inner, at, out)?;
                if let Err(text) = check(&self.text[at..end]) {
                    self.error(at, text);
                }
                Some(end)
            }
        }
    }

    fn seq(&mut self, all: &[Expr], at: usize, out: &mut Vec<Node>) -> Option<usize> {
        let mut at = at;
        for one in all {
            at = self.expr(one, at, out)?;
        }
        Some(at)
    }

    /// Tries it, and takes back what it added when it fails.
    fn attempt(&mut self, expr: &Expr, at: usize, out: &mut Vec<Node>) -> Option<usize> {
        let before = out.len();
        let end = self.expr(expr, at, out);
        if end.is_none() {
            out.truncate(before);
        }
        end
    }

    fn repeat(&mut self, expr: &Expr, at: usize, out: &mut Vec<Node>) -> usize {
        let mut at = at;
        while let Some(end) = self.attempt(expr, at, out) {
            at = end;
        }
        at
    }

    /// A failure (inside "not": a success) at the farthest place is what the error tells of.
    fn note(&mut self, failed: bool, at: usize, wanted: impl FnOnce() -> String) {
        if failed == self.inverted || at < self.farthest {
            return;
        }
        if at > self.farthest {
            self.farthest = at;
            self.expected.clear();
        }
        let mark = if self.inverted { "!" } else { "" };
        self.expected.insert(format!("{mark}{}", wanted()));
    }

    fn error(&mut self, at: usize, text: &str) {
        let mut error = Place::of(self.text, at).to_string();
        if let Some(&rule) = self.rules.last() {
            error.push_str(&format!(": rule {}", self.grammar[rule].shown));
        }
        error.push_str(&format!(": {text}"));
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }
}

/// Line and column counted from one, the offset in bytes from zero.
struct Place {
    line: usize,
    column: usize,
    offset: usize,
}

impl Place {
    fn of(text: &str, offset: usize) -> Place {
        let before = &text[..offset];
        // A line's own end counts as column zero of the next one.
        let upto = text[offset..].chars().next().map_or(offset, |c| offset + c.len_utf8());
        let line = text[..upto].matches('\n').count() + 1;
        let column = match text[offset..].starts_with('\n') {
            true => 0,
            false => before.rsplit('\n').next().unwrap_or(before).chars().count() + 1,
        };
        Place { line, column, offset }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{} ({})", self.line, self.column, self.offset)
    }
}

/// `a, b or c`; the end of the text comes last.
fn listed(expected: &BTreeSet<String>) -> String {
    let mut words: Vec<&str> =
        expected.iter().map(String::as_str).filter(|word| *word != "!.").collect();
    if expected.contains("!.") {
        words.push("EOF");
    }
    match words.split_last() {
        Some((last, [])) => (*last).to_string(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
        None => String::new(),
    }
}
