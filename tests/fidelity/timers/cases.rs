//! The cases, each with the fact it stands for.

pub struct Case {
    pub fact: &'static str,
    pub script: &'static str,
}

const fn case(fact: &'static str, script: &'static str) -> Case {
    Case { fact, script }
}

pub const CASES: &[Case] = &[
    case(
        "a session with a TTL of 10 s ends after 20 s, and frees its key",
        r#"PUT /v1/session/create {"TTL":"10s"} => 200
           PUT /v1/kv/<n>?acquire=<s0> => 200 & true
           pass 19.9s
           GET /v1/session/info/<s0> => 200 & <s0>
           GET /v1/kv/<n> => 200 & "Session": "<s0>"
           pass 0.2s
           GET /v1/session/info/<s0> => 200 & []
           GET /v1/kv/<n> => 200 & !"Session""#,
    ),
    case(
        "a session with a TTL of 15 s ends after 30 s",
        r#"PUT /v1/session/create {"TTL":"15s"} => 200
           pass 29.9s
           GET /v1/session/info/<s0> => 200 & <s0>
           pass 0.2s
           GET /v1/session/info/<s0> => 200 & []"#,
    ),
    case(
        "a session with a TTL of 30 s ends after 60 s",
        r#"PUT /v1/session/create {"TTL":"30s"} => 200
           pass 59.9s
           GET /v1/session/info/<s0> => 200 & <s0>
           pass 0.2s
           GET /v1/session/info/<s0> => 200 & []"#,
    ),
    case(
        "the longest TTL, a day, is doubled too",
        r#"PUT /v1/session/create {"TTL":"86400s"} => 200
           pass 172799s
           GET /v1/session/info/<s0> => 200 & <s0>
           pass 2s
           GET /v1/session/info/<s0> => 200 & []"#,
    ),
    case(
        "a renewal after 19 s of a TTL of 10 s is in time, and its 20 s begin anew",
        r#"PUT /v1/session/create {"TTL":"10s"} => 200
           pass 19s
           PUT /v1/session/renew/<s0> => 200 & <s0>
           pass 19.9s
           GET /v1/session/info/<s0> => 200 & <s0>
           pass 0.2s
           GET /v1/session/info/<s0> => 200 & []"#,
    ),
    case(
        "a session that has ended is not renewed: 404, with its id",
        r#"PUT /v1/session/create {"TTL":"10s"} => 200
           pass 20.1s
           PUT /v1/session/renew/<s0> => 404 & Session id '<s0>' not found"#,
    ),
    case(
        "a session without a TTL lasts",
        r#"PUT /v1/session/create => 200
           pass 1000000s
           GET /v1/session/info/<s0> => 200 & <s0>
           PUT /v1/session/renew/<s0> => 200 & <s0>"#,
    ),
    case(
        "a TTL of 0 s is none",
        r#"PUT /v1/session/create {"TTL":"0s"} => 200
           pass 1000000s
           GET /v1/session/info/<s0> => 200 & <s0>"#,
    ),
    case(
        "every session has a time of its own",
        r#"PUT /v1/session/create {"TTL":"10s"} => 200
           PUT /v1/session/create {"TTL":"20s"} => 200
           pass 20.1s
           GET /v1/session/info/<s0> => 200 & []
           GET /v1/session/info/<s1> => 200 & <s1>
           pass 20s
           GET /v1/session/info/<s1> => 200 & []"#,
    ),
    case(
        "looking at a session does not renew it",
        r#"PUT /v1/session/create {"TTL":"10s"} => 200
           pass 15s
           GET /v1/session/info/<s0> => 200 & <s0>
           GET /v1/session/list => 200 & <s0>
           pass 5.1s
           GET /v1/session/info/<s0> => 200 & []"#,
    ),
    case(
        "acquiring a key again does not renew its session",
        r#"PUT /v1/session/create {"TTL":"10s"} => 200
           PUT /v1/kv/<n>?acquire=<s0> => 200 & true
           pass 15s
           PUT /v1/kv/<n>?acquire=<s0> again => 200 & true
           pass 5.1s
           GET /v1/session/info/<s0> => 200 & []"#,
    ),
    case(
        "the lock-delay is 15 s where none is said, after the end of a session",
        r#"PUT /v1/session/create {"TTL":"10s"} => 200
           PUT /v1/session/create => 200
           PUT /v1/kv/<n>?acquire=<s0> => 200 & true
           pass 20.1s
           PUT /v1/kv/<n>?acquire=<s1> => 200 & false
           pass 14.8s
           PUT /v1/kv/<n>?acquire=<s1> => 200 & false
           pass 0.3s
           PUT /v1/kv/<n>?acquire=<s1> => 200 & true"#,
    ),
    case(
        "the lock-delay is 15 s after a destroy too",
        r#"PUT /v1/session/create => 200
           PUT /v1/session/create => 200
           PUT /v1/kv/<n>?acquire=<s0> => 200 & true
           PUT /v1/session/destroy/<s0> => 200 & true
           pass 14.9s
           PUT /v1/kv/<n>?acquire=<s1> => 200 & false
           pass 0.2s
           PUT /v1/kv/<n>?acquire=<s1> => 200 & true"#,
    ),
    case(
        "a lock-delay of 2 s",
        r#"PUT /v1/session/create {"LockDelay":"2s"} => 200
           PUT /v1/session/create => 200
           PUT /v1/kv/<n>?acquire=<s0> => 200 & true
           PUT /v1/session/destroy/<s0> => 200 & true
           PUT /v1/kv/<n>?acquire=<s1> => 200 & false
           pass 2.3s
           PUT /v1/kv/<n>?acquire=<s1> => 200 & true"#,
    ),
    case(
        "a lock-delay of 0 s is none",
        r#"PUT /v1/session/create {"LockDelay":"0s"} => 200
           PUT /v1/session/create => 200
           PUT /v1/kv/<n>?acquire=<s0> => 200 & true
           PUT /v1/session/destroy/<s0> => 200 & true
           PUT /v1/kv/<n>?acquire=<s1> => 200 & true"#,
    ),
    case(
        "a number for the lock-delay means seconds",
        r#"PUT /v1/session/create {"LockDelay":1} => 200
           PUT /v1/session/create => 200
           PUT /v1/kv/<n>?acquire=<s0> => 200 & true
           PUT /v1/session/destroy/<s0> => 200 & true
           PUT /v1/kv/<n>?acquire=<s1> => 200 & false
           pass 1.3s
           PUT /v1/kv/<n>?acquire=<s1> => 200 & true"#,
    ),
    case(
        "a lock-delay above 60 s is kept as it was given and counts as 60 s",
        r#"PUT /v1/session/create {"LockDelay":"61s"} => 200
           PUT /v1/session/create => 200
           GET /v1/session/info/<s0> => 200 & "LockDelay": 61000000000
           PUT /v1/kv/<n>?acquire=<s0> => 200 & true
           PUT /v1/session/destroy/<s0> => 200 & true
           pass 59.9s
           PUT /v1/kv/<n>?acquire=<s1> => 200 & false
           pass 0.2s
           PUT /v1/kv/<n>?acquire=<s1> => 200 & true"#,
    ),
    case(
        "there is no lock-delay after a release",
        r#"PUT /v1/session/create => 200
           PUT /v1/session/create => 200
           PUT /v1/kv/<n>?acquire=<s0> => 200 & true
           PUT /v1/kv/<n>?release=<s0> => 200 & true
           PUT /v1/session/destroy/<s0> => 200 & true
           PUT /v1/kv/<n>?acquire=<s1> => 200 & true"#,
    ),
    case(
        "the lock-delay is of the keys that were held, and of no other",
        r#"PUT /v1/session/create => 200
           PUT /v1/session/create => 200
           PUT /v1/kv/<n>?acquire=<s0> => 200 & true
           PUT /v1/session/destroy/<s0> => 200 & true
           PUT /v1/kv/<n>/other?acquire=<s1> => 200 & true
           PUT /v1/kv/<n>?acquire=<s1> => 200 & false"#,
    ),
    case(
        "an absent session does not hold a key back: a plain write is done during the lock-delay",
        r#"PUT /v1/session/create => 200
           PUT /v1/kv/<n>?acquire=<s0> old => 200 & true
           PUT /v1/session/destroy/<s0> => 200 & true
           PUT /v1/kv/<n> new => 200 & true
           GET /v1/kv/<n>?raw => 200 & new"#,
    ),
    case(
        "with the behaviour delete the key goes with its session",
        r#"PUT /v1/session/create {"TTL":"10s","Behavior":"delete"} => 200
           PUT /v1/kv/<n>?acquire=<s0> => 200 & true
           pass 19.9s
           GET /v1/kv/<n> => 200
           pass 0.2s
           GET /v1/kv/<n> => 404"#,
    ),
    case(
        "the lock-delay is of a key that went with its session too; a plain write makes it anew",
        r#"PUT /v1/session/create {"TTL":"10s","Behavior":"delete"} => 200
           PUT /v1/session/create => 200
           PUT /v1/kv/<n>?acquire=<s0> => 200 & true
           pass 20.1s
           PUT /v1/kv/<n>?acquire=<s1> => 200 & false
           PUT /v1/kv/<n> plain => 200 & true
           pass 14.7s
           PUT /v1/kv/<n>?acquire=<s1> => 200 & false
           pass 0.4s
           PUT /v1/kv/<n>?acquire=<s1> => 200 & true"#,
    ),
    case(
        "with the behaviour release the key stays as it was, without a session",
        r#"PUT /v1/session/create {"TTL":"10s"} => 200
           PUT /v1/kv/<n>?acquire=<s0>&flags=7 value => 200 & true
           pass 20.1s
           GET /v1/kv/<n> => 200 & "LockIndex": 1 & "Flags": 7 & "Value": "dmFsdWU=" & !Session"#,
    ),
    case(
        "the count of holders goes on after the end of a session",
        r#"PUT /v1/session/create {"TTL":"10s","LockDelay":"0s"} => 200
           PUT /v1/session/create => 200
           PUT /v1/kv/<n>?acquire=<s0> => 200 & true
           pass 20.1s
           PUT /v1/kv/<n>?acquire=<s1> => 200 & true
           GET /v1/kv/<n> => 200 & "LockIndex": 2"#,
    ),
    case(
        "a transaction minds the lock-delay: 409",
        r#"PUT /v1/session/create {"LockDelay":"1s"} => 200
           PUT /v1/session/create => 200
           PUT /v1/kv/<n>?acquire=<s0> => 200 & true
           PUT /v1/session/destroy/<s0> => 200 & true
           PUT /v1/txn [{"KV":{"Verb":"lock","Key":"<n>","Session":"<s1>"}}] => 409 & due to lock delay
           pass 1.3s
           PUT /v1/txn [{"KV":{"Verb":"lock","Key":"<n>","Session":"<s1>"}}] => 200"#,
    ),
    case(
        "who waits for a key is woken by the end of its holder: the same value, no session",
        r#"PUT /v1/session/create {"TTL":"10s"} => 200
           PUT /v1/kv/<n>?acquire=<s0> value => 200 & true
           GET /v1/kv/<n> => 200 & <s0>
           begin GET /v1/kv/<n>?index=<index>&wait=60s
           pass 19.9s
           waits
           pass 0.2s
           ends => 200 & "Value": "dmFsdWU=" & "LockIndex": 1 & !Session"#,
    ),
    case(
        "who waits for a key that goes with its holder gets 404",
        r#"PUT /v1/session/create {"TTL":"10s","Behavior":"delete"} => 200
           PUT /v1/kv/<n>?acquire=<s0> value => 200 & true
           GET /v1/kv/<n> => 200 & <s0>
           begin GET /v1/kv/<n>?index=<index>&wait=60s
           pass 20.1s
           ends => 404"#,
    ),
    case(
        "who waits for sessions is woken by the end of one",
        r#"PUT /v1/session/create {"TTL":"10s"} => 200
           GET /v1/session/list => 200 & <s0>
           begin GET /v1/session/list?index=<index>&wait=60s
           pass 20.1s
           ends => 200 & !<s0>"#,
    ),
    case(
        "a wait without news ends after its time and at most a sixteenth more, index unchanged",
        r#"PUT /v1/kv/<n> => 200 & true
           GET /v1/kv/<n> => 200
           begin GET /v1/kv/<n>?index=<index>&wait=16s
           pass 15.9s
           waits
           pass 1.2s
           ends => 200 & index=<index>"#,
    ),
    case(
        "a short wait, too",
        r#"PUT /v1/kv/<n> => 200 & true
           GET /v1/kv/<n> => 200
           begin GET /v1/kv/<n>?index=<index>&wait=1s
           pass 1.1s
           ends => 200 & index=<index>"#,
    ),
    case(
        "a query that does not say how long waits 5 minutes",
        r#"PUT /v1/kv/<n> => 200 & true
           GET /v1/kv/<n> => 200
           begin GET /v1/kv/<n>?index=<index>
           pass 299s
           waits
           pass 21s
           ends => 200 & index=<index>"#,
    ),
    case(
        "a wait of 0 s is one of 5 minutes",
        r#"PUT /v1/kv/<n> => 200 & true
           GET /v1/kv/<n> => 200
           begin GET /v1/kv/<n>?index=<index>&wait=0s
           pass 299s
           waits
           pass 21s
           ends => 200 & index=<index>"#,
    ),
    case(
        "a negative wait is one of 5 minutes",
        r#"PUT /v1/kv/<n> => 200 & true
           GET /v1/kv/<n> => 200
           begin GET /v1/kv/<n>?index=<index>&wait=-1s
           pass 299s
           waits
           pass 21s
           ends => 200 & index=<index>"#,
    ),
    case(
        "a wait of 20 minutes is cut to 10",
        r#"PUT /v1/kv/<n> => 200 & true
           GET /v1/kv/<n> => 200
           begin GET /v1/kv/<n>?index=<index>&wait=20m
           pass 599s
           waits
           pass 40s
           ends => 200 & index=<index>"#,
    ),
    case(
        "an index that is not reached waits its time and comes back smaller",
        r#"PUT /v1/kv/<n> => 200 & true
           GET /v1/kv/<n> => 200
           begin GET /v1/kv/<n>?index=99999999&wait=1s
           pass 1.1s
           ends => 200 & index=<index>"#,
    ),
    case(
        "other keys, and the same value again, wake nobody",
        r#"PUT /v1/kv/<n> 1 => 200 & true
           GET /v1/kv/<n> => 200
           begin GET /v1/kv/<n>?index=<index>&wait=60s
           PUT /v1/kv/<n>/below 1 => 200 & true
           PUT /v1/kv/<n> 1 => 200 & true
           waits
           PUT /v1/kv/<n> 2 => 200 & true
           ends => 200 & "Mg==""#,
    ),
    case(
        "a prefix is as new as its last deletion, until that is forgotten after a quarter of an hour",
        r#"PUT /v1/kv/<n>/a => 200 & true
           GET /v1/kv/<n>/a => 200
           PUT /v1/kv/<n>/b => 200 & true
           DELETE /v1/kv/<n>/b => 200 & true
           pass 840s
           GET /v1/kv/<n>/?keys&index=<index>&wait=1ms => 200 & !index=<index>
           pass 120s
           GET /v1/kv/<n>/a => 200
           GET /v1/kv/<n>/?keys => 200 & index=<index>"#,
    ),
    case(
        "a TTL check is critical when its time has passed, and says what it last said",
        r#"PUT /v1/agent/check/register {"Name":"<n>","TTL":"1s"} => 200
           PUT /v1/agent/check/pass/<n>?note=fine => 200
           GET /v1/agent/checks?filter=CheckID==%22<n>%22 => 200 & "Status": "passing" & fine
           pass 1.4s
           GET /v1/agent/checks?filter=CheckID==%22<n>%22 => 200 & "Status": "critical" & TTL expired & fine
           PUT /v1/agent/check/deregister/<n> => 200"#,
    ),
    case(
        "a report in time keeps a TTL check as it is",
        r#"PUT /v1/agent/check/register {"Name":"<n>","TTL":"10s"} => 200
           PUT /v1/agent/check/pass/<n> => 200
           pass 9.9s
           PUT /v1/agent/check/pass/<n> => 200
           pass 9.9s
           GET /v1/agent/checks => 200 & "Status": "passing"
           pass 0.2s
           GET /v1/agent/checks => 200 & "Status": "critical""#,
    ),
    case(
        "a warning turns critical too when nobody goes on to give it",
        r#"PUT /v1/agent/check/register {"Name":"<n>","TTL":"10s"} => 200
           PUT /v1/agent/check/warn/<n> => 200
           pass 9.9s
           GET /v1/agent/checks => 200 & "Status": "warning"
           pass 0.2s
           GET /v1/agent/checks => 200 & "Status": "critical""#,
    ),
    case(
        "the catalog hears of a TTL check that has turned critical, and wakes who waits",
        r#"PUT /v1/agent/service/register {"Name":"<n>","Check":{"TTL":"10s","Status":"passing"}} => 200
           GET /v1/health/service/<n>?passing => 200 & service:<n>
           begin GET /v1/health/service/<n>?index=<index>&wait=60s
           pass 9.9s
           waits
           pass 0.2s
           ends => 200 & "Status": "critical"
           GET /v1/health/service/<n>?passing => 200 & []"#,
    ),
    case(
        "a session ends with a check that it depends on",
        r#"PUT /v1/agent/check/register {"Name":"<n>","TTL":"10s","Status":"passing"} => 200
           PUT /v1/session/create {"NodeChecks":["<n>"]} => 200
           PUT /v1/kv/<n>?acquire=<s0> => 200 & true
           pass 9.9s
           GET /v1/session/info/<s0> => 200 & <s0>
           pass 0.2s
           GET /v1/session/info/<s0> => 200 & []
           GET /v1/kv/<n> => 200 & !Session"#,
    ),
    case(
        "a service goes when its check was critical for so long, within 30 s",
        r#"PUT /v1/agent/service/register {"Name":"<n>","Check":{"TTL":"10s","Status":"passing","DeregisterCriticalServiceAfter":"1m"}} => 200
           pass 10.1s
           GET /v1/health/service/<n> => 200 & critical
           pass 59s
           GET /v1/agent/service/<n> => 200
           pass 32s
           GET /v1/agent/service/<n> => 404
           GET /v1/catalog/service/<n> => 200 & []"#,
    ),
    case(
        "a service that passes again in time stays",
        r#"PUT /v1/agent/service/register {"Name":"<n>","Check":{"TTL":"300s","DeregisterCriticalServiceAfter":"1m"}} => 200
           pass 50s
           PUT /v1/agent/check/pass/service:<n> => 200
           pass 100s
           GET /v1/agent/service/<n> => 200
           PUT /v1/agent/check/fail/service:<n> => 200
           pass 50s
           GET /v1/agent/service/<n> => 200
           pass 41s
           GET /v1/agent/service/<n> => 404"#,
    ),
    case(
        "a check that is critical from its registration on counts from its first result",
        r#"PUT /v1/agent/service/register {"Name":"<n>","Check":{"TTL":"300s","DeregisterCriticalServiceAfter":"1m"}} => 200
           pass 299s
           GET /v1/agent/service/<n> => 200
           pass 59s
           GET /v1/agent/service/<n> => 200
           pass 33s
           GET /v1/agent/service/<n> => 404"#,
    ),
    case(
        "less than a minute counts as a minute",
        r#"PUT /v1/agent/service/register {"Name":"<n>","Check":{"TTL":"300s","DeregisterCriticalServiceAfter":"10s"}} => 200
           PUT /v1/agent/check/fail/service:<n> => 200
           pass 59s
           GET /v1/agent/service/<n> => 200
           pass 32s
           GET /v1/agent/service/<n> => 404"#,
    ),
    case(
        "a service without news is answered by its hash when the wait is over",
        r#"PUT /v1/agent/service/register {"Name":"<n>"} => 200
           GET /v1/agent/service/<n> => 200 & ContentHash
           begin GET /v1/agent/service/<n>?hash=<hash>&wait=10s
           pass 9.9s
           waits
           pass 0.8s
           ends => 200 & ContentHash"#,
    ),
    case(
        "an event wakes who waits for events of its name",
        r#"PUT /v1/event/fire/<n> => 200
           GET /v1/event/list?name=<n> => 200 & <n>
           begin GET /v1/event/list?name=<n>&index=<event>&wait=60s
           pass 59s
           waits
           PUT /v1/event/fire/<n> again => 200
           ends => 200 & YWdhaW4="#,
    ),
];
