//! The language of Consul's filters: its grammar, and what a text says in it
//! (<https://developer.hashicorp.com/consul/api-docs/features/filtering>).

use super::peg::{self, Expr, Node, Rule, RuleId};

/// What a filter says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expression {
    Not(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Match(Match),
}

/// One comparison.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) selector: Vec<String>,
    pub(super) operator: Operator,
    pub(super) value: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    In,
    NotIn,
    IsEmpty,
    IsNotEmpty,
    Matches,
    NotMatches,
}

impl Operator {
    /// As an error names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Operator::Equal => "Equal",
            Operator::NotEqual => "Not Equal",
            Operator::In => "In",
            Operator::NotIn => "Not In",
            Operator::IsEmpty => "Is Empty",
            Operator::IsNotEmpty => "Is Not Empty",
            Operator::Matches => "Matches",
            Operator::NotMatches => "Not Matches",
        }
    }
}

/// Reads a filter.
pub(super) fn parse(text: &str) -> Result<Expression, String> {
    let node = peg::parse(&grammar(), text)?;
    let reader = Reader(text);
    reader.expression(&node).ok_or_else(|| "Invalid AST node".to_string())
}

const INPUT: RuleId = 0;
const OR: RuleId = 1;
const AND: RuleId = 2;
const NOT: RuleId = 3;
const GROUPING: RuleId = 4;
const MATCH: RuleId = 5;
const SELECTOR_OP_VALUE: RuleId = 6;
const SELECTOR_OP: RuleId = 7;
const VALUE_OP_SELECTOR: RuleId = 8;
const EQUAL: RuleId = 9;
const NOT_EQUAL: RuleId = 10;
const IS_EMPTY: RuleId = 11;
const IS_NOT_EMPTY: RuleId = 12;
const IN: RuleId = 13;
const NOT_IN: RuleId = 14;
const CONTAINS: RuleId = 15;
const NOT_CONTAINS: RuleId = 16;
const MATCHES: RuleId = 17;
const NOT_MATCHES: RuleId = 18;
const SELECTOR: RuleId = 19;
const IDENTIFIER: RuleId = 20;
const SELECTOR_OR_INDEX: RuleId = 21;
const INDEX: RuleId = 22;
const VALUE: RuleId = 23;
const NUMBER: RuleId = 24;
const AFTER_NUMBERS: RuleId = 25;
const INTEGER_OR_FLOAT: RuleId = 26;
const STRING: RuleId = 27;
const RAW_CHAR: RuleId = 28;
const DOUBLE_CHAR: RuleId = 29;
const SPACE: RuleId = 30;
const END: RuleId = 31;

/// The rules in the order of their numbers.
fn grammar() -> Vec<Rule> {
    let rule = |shown, body| Rule { shown, body };
    vec![
        rule("Input", input()),
        rule("OrExpression", binary(AND, "or", OR)),
        rule("AndExpression", binary(NOT, "and", AND)),
        rule("NotExpression", negation()),
        rule("\"grouping\"", grouping()),
        rule("\"match\"", choice([SELECTOR_OP_VALUE, SELECTOR_OP, VALUE_OP_SELECTOR].map(to))),
        rule("\"match\"", selector_op_value()),
        rule("\"match\"", seq([to(SELECTOR), choice([IS_EMPTY, IS_NOT_EMPTY].map(to))])),
        rule("\"match\"", value_op_selector()),
        rule("MatchEqual", seq([gap(), lit("=="), gap()])),
        rule("MatchNotEqual", seq([gap(), lit("!="), gap()])),
        rule("MatchIsEmpty", seq([to(SPACE), lit("is"), to(SPACE), lit("empty")])),
        rule(
            "MatchIsNotEmpty",
            seq([to(SPACE), lit("is"), to(SPACE), lit("not"), to(SPACE), lit("empty")]),
        ),
        rule("MatchIn", word("in")),
        rule("MatchNotIn", not_word("in")),
        rule("MatchContains", word("contains")),
        rule("MatchNotContains", not_word("contains")),
        rule("MatchMatches", word("matches")),
        rule("MatchNotMatches", not_word("matches")),
        rule("\"selector\"", seq([to(IDENTIFIER), star(to(SELECTOR_OR_INDEX))])),
        rule("Identifier", identifier()),
        rule("SelectorOrIndex", choice([seq([lit("."), to(IDENTIFIER)]), to(INDEX)])),
        rule("\"index\"", index()),
        rule("\"value\"", choice([SELECTOR, NUMBER, STRING].map(to))),
        rule("\"number\"", number()),
        rule("AfterNumbers", Expr::And(Box::new(choice([to(SPACE), to(END), lit(")")])))),
        rule("IntegerOrFloat", integer_or_float()),
        rule("\"string\"", string()),
        rule("RawStringChar", seq([not(lit("`")), Expr::Any])),
        rule("DoubleStringChar", seq([not(lit("\"")), Expr::Any])),
        rule("\"whitespace\"", plus(Expr::Class("[ \\t\\r\\n]", is_space))),
        rule("EOF", not(Expr::Any)),
    ]
}

fn input() -> Expr {
    choice([
        seq([gap(), lit("("), gap(), to(OR), gap(), lit(")"), gap(), to(END)]),
        seq([gap(), to(OR), gap(), to(END)]),
    ])
}

fn binary(left: RuleId, word: &'static str, right: RuleId) -> Expr {
    choice([seq([to(left), to(SPACE), lit(word), to(SPACE), to(right)]), to(left)])
}

fn negation() -> Expr {
    choice([seq([lit("not"), to(SPACE), to(NOT)]), to(GROUPING)])
}

fn grouping() -> Expr {
    choice([
        seq([lit("("), gap(), to(OR), gap(), lit(")")]),
        to(MATCH),
        seq([lit("("), gap(), to(OR), gap(), not(lit(")")), Expr::Error("Unmatched parentheses")]),
    ])
}

fn selector_op_value() -> Expr {
    let operators = [EQUAL, NOT_EQUAL, CONTAINS, NOT_CONTAINS, MATCHES, NOT_MATCHES];
    seq([to(SELECTOR), choice(operators.map(to)), to(VALUE)])
}

fn value_op_selector() -> Expr {
    let operators = || choice([IN, NOT_IN].map(to));
    let wrong = [to(VALUE), operators(), not(to(SELECTOR)), Expr::Error("Invalid selector")];
    choice([seq([to(VALUE), operators(), to(SELECTOR)]), seq(wrong)])
}

fn identifier() -> Expr {
    let first = Expr::Class("[a-zA-Z]", |c| c.is_ascii_alphabetic());
    let rest = Expr::Class("[a-zA-Z0-9_]", |c| c.is_ascii_alphanumeric() || c == '_');
    seq([first, star(rest)])
}

fn index() -> Expr {
    choice([
        seq([lit("["), gap(), to(STRING), gap(), lit("]")]),
        seq([lit("["), gap(), not(to(STRING)), Expr::Error("Invalid index")]),
        seq([
            lit("["),
            gap(),
            to(STRING),
            gap(),
            not(lit("]")),
            Expr::Error("Unclosed index expression"),
        ]),
    ])
}

fn number() -> Expr {
    let digits = || [optional(lit("-")), to(INTEGER_OR_FLOAT)];
    let [sign, whole] = digits();
    let good = seq([sign, whole, Expr::And(Box::new(to(AFTER_NUMBERS)))]);
    let [sign, whole] = digits();
    let wrong = seq([sign, whole, not(to(AFTER_NUMBERS)), Expr::Error("Invalid number literal")]);
    choice([good, wrong])
}

fn integer_or_float() -> Expr {
    let digit = || Expr::Class("[0-9]", |c| c.is_ascii_digit());
    let first = Expr::Class("[1-9]", |c| matches!(c, '1'..='9'));
    let whole = choice([lit("0"), seq([first, star(digit())])]);
    seq([whole, optional(seq([lit("."), plus(digit())]))])
}

fn string() -> Expr {
    let raw = || [lit("`"), star(to(RAW_CHAR))];
    let double = || [lit("\""), star(to(DOUBLE_CHAR))];
    let closed = |open: [Expr; 2], end| seq(open.into_iter().chain([lit(end)]));
    let good = choice([closed(raw(), "`"), closed(double(), "\"")]);
    let open = choice([seq(raw()), seq(double())]);
    choice([
        Expr::Checked(Box::new(good), |text| unquoted(text).map(drop).ok_or("invalid syntax")),
        seq([open, to(END), Expr::Error("Unterminated string literal")]),
    ])
}

fn word(word: &'static str) -> Expr {
    seq([to(SPACE), lit(word), to(SPACE)])
}

fn not_word(word: &'static str) -> Expr {
    seq([to(SPACE), lit("not"), to(SPACE), lit(word), to(SPACE)])
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn gap() -> Expr {
    optional(to(SPACE))
}

fn to(rule: RuleId) -> Expr {
    Expr::Rule(rule)
}

fn lit(text: &'static str) -> Expr {
    Expr::Literal(text)
}

fn seq(all: impl IntoIterator<Item = Expr>) -> Expr {
    Expr::Seq(all.into_iter().collect())
}

fn choice(any: impl IntoIterator<Item = Expr>) -> Expr {
    Expr::Choice(any.into_iter().collect())
}

fn optional(inner: Expr) -> Expr {
    Expr::Optional(Box::new(inner))
}

fn star(inner: Expr) -> Expr {
    Expr::Star(Box::new(inner))
}

fn plus(inner: Expr) -> Expr {
    Expr::Plus(Box::new(inner))
}

fn not(inner: Expr) -> Expr {
    Expr::Not(Box::new(inner))
}

/// What the matched rules say.
struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn expression(&self, node: &Node) -> Option<Expression> {
        let parts: Vec<&Node> =
            node.children.iter().filter(|child| !matches!(child.rule, SPACE | END)).collect();
        match (node.rule, &parts[..]) {
            (OR, [left, right]) => {
                let sides = (self.expression(left)?, self.expression(right)?);
                Some(Expression::Or(Box::new(sides.0), Box::new(sides.1)))
            }
            (AND, [left, right]) => {
                let sides = (self.expression(left)?, self.expression(right)?);
                Some(Expression::And(Box::new(sides.0), Box::new(sides.1)))
            }
            (NOT, [inner]) if inner.rule == NOT => match self.expression(inner)? {
                Expression::Not(twice) => Some(*twice),
                once => Some(Expression::Not(Box::new(once))),
            },
            (INPUT | OR | AND | NOT | GROUPING | MATCH, [inner]) => self.expression(inner),
            (SELECTOR_OP_VALUE, [selector, operator, value]) => {
                self.compared(selector, operator, Some(value))
            }
            (SELECTOR_OP, [selector, operator]) => self.compared(selector, operator, None),
            (VALUE_OP_SELECTOR, [value, operator, selector]) => {
                self.compared(selector, operator, Some(value))
            }
            _ => None,
        }
    }

    fn compared(&self, left: &Node, operator: &Node, right: Option<&Node>) -> Option<Expression> {
        let operator = match operator.rule {
            EQUAL => Operator::Equal,
            NOT_EQUAL => Operator::NotEqual,
            IN | CONTAINS => Operator::In,
            NOT_IN | NOT_CONTAINS => Operator::NotIn,
            IS_EMPTY => Operator::IsEmpty,
            IS_NOT_EMPTY => Operator::IsNotEmpty,
            MATCHES => Operator::Matches,
            _ => Operator::NotMatches,
        };
        let value = match right {
            Some(value) => Some(self.value(value.children.first()?)?),
            None => None,
        };
        Some(Expression::Match(Match { selector: self.selector(left)?, operator, value }))
    }

    fn value(&self, node: &Node) -> Option<String> {
        match node.rule {
            SELECTOR => Some(self.selector(node)?.join(".")),
            STRING => unquoted(self.text(node)),
            _ => Some(self.text(node).to_string()),
        }
    }

    fn selector(&self, node: &Node) -> Option<Vec<String>> {
        let parts = node.children.iter().map(|part| match part.rule {
            IDENTIFIER => Some(self.text(part).to_string()),
            _ => self.part(part.children.first()?),
        });
        parts.collect()
    }

    /// `.name` or `["name"]`.
    fn part(&self, node: &Node) -> Option<String> {
        match node.rule {
            IDENTIFIER => Some(self.text(node).to_string()),
            _ => {
                let string = node.children.iter().find(|child| child.rule == STRING)?;
                unquoted(self.text(string))
            }
        }
    }

    fn text(&self, node: &Node) -> &str {
        &self.0[node.start..node.end]
    }
}

/// What stands between the quotes, as Go reads it.
fn unquoted(text: &str) -> Option<String> {
    let inner = &text[1..text.len() - 1];
    if text.starts_with('`') {
        return Some(inner.replace('\r', ""));
    }
    let mut out = Vec::new();
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        match c {
            '\n' => return None,
            '\\' => escaped(&mut rest, &mut out)?,
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// What follows a backslash.
fn escaped(rest: &mut std::str::Chars<'_>, out: &mut Vec<u8>) -> Option<()> {
    let simple = match rest.next()? {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        'x' => u8::try_from(number_of(rest, 2, 16)?).ok()?,
        first @ '0'..='7' => {
            let rest = number_of(rest, 2, 8)?;
            u8::try_from(first.to_digit(8)? * 64 + rest).ok()?
        }
        wide @ ('u' | 'U') => {
            let digits = if wide == 'u' { 4 } else { 8 };
            let c = char::from_u32(number_of(rest, digits, 16)?)?;
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(());
        }
        _ => return None,
    };
    out.push(simple);
    Some(())
}

fn number_of(rest: &mut std::str::Chars<'_>, digits: usize, base: u32) -> Option<u32> {
    let mut number = 0_u32;
    for _ in 0..digits {
        number = number.checked_mul(base)? + rest.next()?.to_digit(base)?;
    }
    Some(number)
}
