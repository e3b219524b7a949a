//! Health: by node, service and state, with tags, meta and filters.

use super::{agent, catalog, read};
use crate::random::Random;
use crate::sequence::{Sequence, Step};

const FILTERS: &[&str] = &[
    "filter=Service.ID==%22<n>-web%22",
    "filter=Service.Port!=80",
    "filter=%22a%22%20in%20Service.Tags",
    "filter=Service.Tags%20contains%20a",
    "filter=%22a%22%20not%20in%20Service.Tags%20and%20Service.Port==80",
    "filter=not%20Node.Node==%22<node>%22",
    "filter=Node.Meta.rack==1",
    "filter=Service.Meta.v==1%20or%20Service.Meta%20is%20empty",
    "filter=v%20in%20Service.Meta",
    "filter=Service.Service%20matches%20%22we.$%22",
    "filter=Service.Service%20not%20matches%20%22%5Eq%22",
    "filter=Checks.Status==passing",
    "filter=%22%22%20!=%20Service.Address",
    "filter=Service.Weights.Passing==5",
    "filter=Service.EnableTagOverride==true",
    "filter=Service.Tags%20is%20not%20empty",
    "filter=Status==passing",
    "filter=Status!=passing%20and%20ServiceName==%22<n>-web%22",
    "filter=ServiceTags%20is%20empty",
    "filter=CheckID%20matches%20%22c1$%22",
    "filter=Name==c%20or%20(Status==critical%20and%20not%20ServiceID==%22%22)",
    "filter=Colour==1",
    "filter=((",
    "filter=Status",
    "filter=",
];

pub fn step(random: &mut Random, out: &mut Sequence) {
    match random.below(8) {
        0 | 1 => catalog::step(random, out),
        2 => agent::register_service(random, out),
        _ => look(random, out),
    }
}

pub fn look(random: &mut Random, out: &mut Sequence) {
    let service = random.of_these(&["<n>-web", "<n>-web", "<n>-db", "consul", "absent"]);
    let node = random.of_these(&["<n>-n1", "<n>-n2", "<node>", "absent"]);
    let state = random.of_these(&["any", "passing", "warning", "critical", "burn"]);
    let path = match random.below(9) {
        0 => format!("/v1/health/node/{node}"),
        1 | 2 => format!("/v1/health/checks/{service}"),
        3..6 => format!("/v1/health/service/{service}"),
        6 | 7 => format!("/v1/health/state/{state}"),
        _ => random
            .of_these(&[
                "/v1/health/connect/<n>-web",
                "/v1/health/node/",
                "/v1/health/service/",
                "/v1/health/state/",
            ])
            .to_owned(),
    };
    let mut query = read::options(random);
    if random.once_in(3) {
        query.push(random.of_these(&[
            "passing",
            "passing",
            "passing=true",
            "passing=false",
            "passing=maybe",
            "passing=1",
            "tag=a",
            "tag=a&tag=v1",
            "tag=b&passing",
            "node-meta=rack:1",
        ]));
    }
    if random.once_in(3) {
        query.push(random.of_these(FILTERS));
    }
    out.push(Step::get(read::with(&path, &query)));
}
