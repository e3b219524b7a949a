//! Errors and answers of a real 1.8.7.

use super::Filter;
use super::fields::{CATALOG_SERVICE, CHECK, NODE, SERVICE, SERVICE_ENTRY};
use serde_json::{Value, json};

/// Errors of the text, and of what it selects. The beginning is left out, which all share.
const WRONG: &[(&str, &str)] = &[
    ("foo == 3", r#"Selector "foo" is not valid"#),
    (
        "Node ==",
        r#"1:8 (7): no match found, expected: "-", "0", "\"", "`", [ \t\r\n], [1-9] or [a-zA-Z]"#,
    ),
    ("(Node == a", r#"1:11 (10): rule "grouping": Unmatched parentheses"#),
    ("((Node == a) and Meta is empty", r#"1:31 (30): rule "grouping": Unmatched parentheses"#),
    ("Node == \"a", r#"1:11 (10): rule "string": Unterminated string literal"#),
    ("Node == 3x", r#"1:10 (9): rule "number": Invalid number literal"#),
    ("Node == 01", r#"1:10 (9): rule "number": Invalid number literal"#),
    ("Node in \"a", r#"1:9 (8): rule "match": Invalid selector"#),
    ("Node in 3", r#"1:9 (8): rule "match": Invalid selector"#),
    ("\"x\" in 3", r#"1:8 (7): rule "match": Invalid selector"#),
    ("Node is empty", r#"Invalid match operator "Is Empty" for selector "Node""#),
    ("Meta == 1", r#"Invalid match operator "Equal" for selector "Meta""#),
    ("Meta is empty and", r"1:18 (17): no match found, expected: [ \t\r\n]"),
    (
        "not",
        r#"1:4 (3): no match found, expected: "!=", ".", "==", "[", [ \t\r\n] or [a-zA-Z0-9_]"#,
    ),
    (
        "Meta[\"foo",
        "1:10 (9): rule \"string\": Unterminated string literal\n1:6 (5): rule \"index\": Invalid index",
    ),
    ("Meta[foo] == 1", r#"1:6 (5): rule "index": Invalid index"#),
    ("Meta[\"foo\"", r#"1:11 (10): rule "index": Unclosed index expression"#),
    (
        "Node == a\nand b",
        r#"2:6 (15): no match found, expected: "!=", ".", "==", "[", [ \t\r\n] or [a-zA-Z0-9_]"#,
    ),
    ("Node == \"a\\q\"", r#"1:9 (8): rule "string": invalid syntax"#),
    ("3 == Node", r#"1:3 (2): no match found, expected: "in", "not" or [ \t\r\n]"#),
    ("Node  ==  a )", r#"1:13 (12): no match found, expected: "and", "or", [ \t\r\n] or EOF"#),
    (
        " ",
        r#"1:2 (1): no match found, expected: "(", "-", "0", "\"", "`", "not", [ \t\r\n], [1-9] or [a-zA-Z]"#,
    ),
    (
        "é == 1",
        r#"1:1 (0): no match found, expected: "(", "-", "0", "\"", "`", "not", [ \t\r\n], [1-9] or [a-zA-Z]"#,
    ),
    ("Meta.a.b == 1", r#"Selector "Meta.a.b" is not valid"#),
    (
        "Node matches `[`",
        r#"Failed to compile regular expression "[": error parsing regexp: missing closing ]: `[`"#,
    ),
    (
        "Node matches `a(`",
        r#"Failed to compile regular expression "a(": error parsing regexp: missing closing ): `a(`"#,
    ),
    (
        "Node matches `a)`",
        r#"Failed to compile regular expression "a)": error parsing regexp: unexpected ): `a)`"#,
    ),
    (
        "Node matches `*a`",
        r#"Failed to compile regular expression "*a": error parsing regexp: missing argument to repetition operator: `*`"#,
    ),
    (
        "Node matches `\\`",
        r#"Failed to compile regular expression "\\": error parsing regexp: trailing backslash at end of expression: ``"#,
    ),
];

#[test]
fn a_wrong_filter_is_refused_in_consuls_words() {
    for (text, error) in WRONG {
        let found = Filter::new(text, NODE).err();
        let error = format!("Failed to create boolean expression evaluator: {error}");
        assert_eq!(found.as_deref(), Some(&error[..]), "{text}");
    }
}

#[test]
fn a_value_fits_its_field() {
    let error = |text| Filter::new(text, SERVICE).err().unwrap();
    let port = error("Port == abc");
    assert!(port.ends_with(
        r#"Failed to coerce value "abc" for selector "Port": strconv.ParseInt: parsing "abc": invalid syntax"#
    ));
    let large = error("Port == 99999999999999999999");
    assert!(large.ends_with(r#"parsing "99999999999999999999": value out of range"#), "{large}");
    let flag = error("EnableTagOverride == yes");
    assert!(flag.ends_with(r#"strconv.ParseBool: parsing "yes": invalid syntax"#), "{flag}");
}

fn node() -> Value {
    json!({"ID": "7d", "Node": "n1", "Address": "10.0.0.1", "Datacenter": "dc1",
        "TaggedAddresses": {"lan": "10.0.0.1"}, "Meta": {"env": "prod", "a-b": "x"}})
}

fn entry() -> Value {
    json!({"Node": node(), "Service": {"ID": "web1", "Service": "web", "Tags": ["v1", "Blue"],
        "Address": "", "Meta": {"version": "4"}, "Port": 80, "Weights": {"Passing": 1, "Warning": 2},
        "EnableTagOverride": false, "TaggedAddresses": {"lan": {"Address": "1.2.3.4", "Port": 8}},
        "Proxy": {"MeshGateway": {}, "Expose": {}}, "Connect": {}},
        "Checks": [{"CheckID": "serfHealth", "Status": "passing"},
            {"CheckID": "c", "Status": "critical", "ServiceTags": ["v1"]}]})
}

/// What holds for the entry, and what does not.
const TOLD: &[(&str, bool)] = &[
    ("Node.Node == n1", true),
    ("Node.Node == \"n1\"", true),
    ("Node.Node != n1", false),
    ("Service.Port == 80", true),
    ("Service.Port == \"0x50\"", true),
    ("Service.Port == \"80\"", true),
    ("Service.EnableTagOverride == false", true),
    ("v1 in Service.Tags", true),
    ("blue in Service.Tags", false),
    ("Service.Tags contains \"Blue\"", true),
    ("Service.Tags not contains v2", true),
    ("v2 not in Service.Tags", true),
    ("Service.Tags is empty", false),
    ("Service.Proxy.Upstreams is empty", true),
    ("Service.Proxy.DestinationServiceName == \"\"", true),
    ("Service.Proxy.Expose.Checks == false", true),
    ("env in Node.Meta", true),
    ("Node.Meta.env == prod", true),
    ("Node.Meta[\"a-b\"] == x", true),
    ("Node.Meta.none == x", false),
    ("Node.Meta.none != x", true),
    ("Node.Meta.none matches x", true),
    ("Node.Meta.none not matches x", true),
    ("rod in Node.Meta.env", true),
    ("Node.Meta.env matches `^pr`", true),
    ("Node.Meta.env not matches `^pr`", false),
    ("Service.TaggedAddresses.lan.Port == 8", true),
    ("Service.TaggedAddresses.wan.Port == 8", false),
    ("Service.Weights.Warning == 2", true),
    ("Checks.Status == critical", true),
    ("Checks.Status != critical", true),
    ("not Checks.Status == critical", false),
    ("not not Checks.Status == critical", true),
    ("Checks is not empty", true),
    ("v1 in Checks.ServiceTags", true),
    ("Node.Node == n2 or Service.Port == 80", true),
    ("Node.Node == n2 or Service.Port == 80 and Service.Service == no", false),
    ("(Node.Node == n1 or Service.Port == 1) and Service.Service == web", true),
    (" ( Node.Node == n1 ) ", true),
];

#[test]
fn a_filter_admits_what_it_tells_of() {
    for (text, holds) in TOLD {
        let filter = Filter::new(text, SERVICE_ENTRY).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(filter.admits(&entry()), *holds, "{text}");
    }
}

#[test]
fn each_kind_of_item_has_its_own_fields() {
    let fits = |text, fields| Filter::new(text, fields).is_ok();
    assert!(fits("ServiceMeta.v == 1 and NodeMeta.v == 1 and ServicePort == 1", CATALOG_SERVICE));
    assert!(!fits("Service.Port == 1", CATALOG_SERVICE));
    assert!(fits("CheckID == serfHealth and a in ServiceTags", CHECK));
    assert!(!fits("CreateIndex == 1", CHECK));
    assert!(!fits("Definition is empty", CHECK));
}

#[test]
fn groups_nest_as_deep_as_the_stack_bears() {
    let text = |depth| format!("{}Node == n1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Filter::new(&text(40), NODE).unwrap().admits(&node()));
    let error = Filter::new(&text(100_000), NODE).err().unwrap();
    assert!(error.ends_with("nested too deeply"), "{error}");
}

#[test]
fn none_admits_all_and_a_late_one_errs_only_when_there_is_something() {
    assert!(Filter::new("", NODE).unwrap().admits(&node()));
    assert!(Filter::late("nope == 1", CHECK, true).is_ok());
    let error = Filter::late("nope == 1", CHECK, false).err().unwrap();
    assert_eq!(error, "Selector \"nope\" is not valid");
}
