use super::*;
use std::collections::HashMap;

fn ring(names: &[&str]) -> Ring {
    let ring = Ring::new();
    ring.set(names.iter().map(|&name| (name, 1))).unwrap();
    ring
}

fn numbered(count: usize) -> Ring {
    let ring = Ring::new();
    ring.set((0..count).map(|n| (format!("node-{n}"), 1))).unwrap();
    ring
}

fn owners(ring: &Ring, keys: usize) -> Vec<String> {
    let state = ring.state();
    let owner = |n| state.node_for_key(format!("key-{n}").as_bytes()).unwrap().name().to_string();
    (0..keys).map(owner).collect()
}

/// tests/ring/golden.py, an implementation of its own in another language, has written it.
struct Golden {
    nodes: Vec<(String, u32)>,
    owners: String,
    replicas: Vec<String>,
}

impl Golden {
    fn read() -> Golden {
        let text = include_str!("../../tests/ring/golden.txt");
        let mut parts = text.split("\n\n");
        let node = |line: &str| {
            let (name, weight) = line.split_once(' ').unwrap();
            (name.to_string(), weight.parse().unwrap())
        };
        let nodes = parts.next().unwrap().lines().map(node).collect();
        let owners = parts.next().unwrap().lines().collect();
        let replicas = parts.next().unwrap().split_whitespace().map(String::from).collect();
        Golden { nodes, owners, replicas }
    }

    fn key(number: usize) -> String {
        format!("{number}:{}", "é".repeat(number % 37))
    }

    fn letter(&self, name: &str) -> char {
        let at = self.nodes.iter().position(|(known, _)| known == name).unwrap();
        char::from(b'a' + at as u8)
    }

    fn check(&self, ring: &Ring) {
        let state = ring.state();
        let owner = |n| state.node_for_key(Golden::key(n).as_bytes()).unwrap();
        let owners: String = (0..10_000).map(|n| self.letter(owner(n).name())).collect();
        assert_eq!(owners, self.owners);
        for (n, wanted) in self.replicas.iter().enumerate() {
            let replicas = state.replicas_for_key(Golden::key(n).as_bytes(), wanted.len());
            let replicas: String = replicas.iter().map(|node| self.letter(node.name())).collect();
            assert_eq!(&replicas, wanted, "{n}");
        }
    }
}

#[test]
fn ten_thousand_keys_belong_to_the_nodes_that_another_implementation_says() {
    let golden = Golden::read();
    assert_eq!((golden.owners.len(), golden.replicas.len()), (10_000, 1000));
    let ring = Ring::new();
    ring.set(golden.nodes.iter().cloned()).unwrap();
    golden.check(&ring);
}

#[test]
fn the_order_in_which_nodes_come_and_go_decides_nothing() {
    let golden = Golden::read();
    let ring = Ring::new();
    for (name, _) in golden.nodes.iter().rev() {
        ring.add(name, 7).unwrap();
        ring.add(&format!("{name}-gone"), 1).unwrap();
    }
    for (name, weight) in &golden.nodes {
        assert!(ring.remove(&format!("{name}-gone")));
        ring.add(name, *weight).unwrap();
    }
    golden.check(&ring);
}

#[test]
fn a_node_that_goes_gives_away_its_own_keys_alone() {
    let (ring, count, keys) = (numbered(10), 10, 20_000);
    let before = owners(&ring, keys);
    assert!(ring.remove("node-3"));
    let after = owners(&ring, keys);
    let moved = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    for (before, after) in before.iter().zip(&after) {
        assert!(before == "node-3" || before == after, "{before} to {after}");
        assert_ne!(after, "node-3");
    }
    // Its share is a tenth; with 160 points a node's is that within a third.
    assert!(moved * count < keys * 4 / 3, "{moved}");
    ring.add("node-3", 1).unwrap();
    assert_eq!(owners(&ring, keys), before);
}

#[test]
fn shares_are_as_the_weights_say() {
    let ring = Ring::new();
    let weights: Vec<u32> = (1..=5).collect();
    ring.set(weights.iter().map(|&weight| (format!("node-{weight}"), weight))).unwrap();
    let mut shares: HashMap<String, usize> = HashMap::new();
    for owner in owners(&ring, 30_000) {
        *shares.entry(owner).or_default() += 1;
    }
    for weight in weights {
        let share = shares[&format!("node-{weight}")] as f64 / 2000.0;
        let wanted = f64::from(weight);
        assert!((share / wanted - 1.0).abs() < 0.25, "{share} for {weight}");
    }
}

#[test]
fn the_fullest_of_a_hundred_nodes_has_a_third_more_than_its_share_at_most() {
    let mut shares: HashMap<String, usize> = HashMap::new();
    for owner in owners(&numbered(100), 100_000) {
        *shares.entry(owner).or_default() += 1;
    }
    let most = shares.values().max().unwrap();
    assert_eq!(shares.len(), 100);
    assert!(*most < 1334, "{most}");
}

#[test]
fn replicas_are_as_many_different_nodes_as_there_are() {
    let ring = numbered(5);
    let state = ring.state();
    for n in 0..2000 {
        let key = format!("key-{n}");
        for count in [0, 1, 3, 5, 6, usize::MAX] {
            let replicas = state.replicas_for_key(key.as_bytes(), count);
            let mut names: Vec<&str> = replicas.iter().map(|node| node.name()).collect();
            assert_eq!(
                names.first().copied(),
                state.node_for_key(key.as_bytes()).filter(|_| count > 0).map(RingNode::name)
            );
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count.min(5), "{key} {count}");
        }
    }
}

#[test]
fn the_next_replica_is_who_gets_the_key_when_its_node_goes() {
    let ring = numbered(6);
    for n in 0..200 {
        let key = format!("key-{n}");
        let before = ring.state();
        let [first, second] = before.replicas_for_key(key.as_bytes(), 2)[..] else { panic!() };
        ring.remove(first.name());
        assert_eq!(ring.state().node_for_key(key.as_bytes()), Some(second));
        ring.add(first.name(), 1).unwrap();
    }
}

#[test]
fn a_ring_without_nodes_has_no_answer() {
    let ring = Ring::new();
    let state = ring.state();
    assert_eq!((state.version(), state.node_for_key(b"a")), (0, None));
    assert!(state.replicas_for_key(b"a", 3).is_empty());
    ring.add("a", 1).unwrap();
    assert!(ring.remove("a") && !ring.remove("a"));
    assert_eq!((ring.state().version(), ring.state().node_for_key(b"a")), (2, None));
}

#[test]
fn what_changes_nothing_is_no_new_version() {
    let ring = ring(&["a", "b"]);
    let before = ring.state();
    ring.add("a", 1).unwrap();
    ring.set([("b", 1), ("a", 1)]).unwrap();
    assert!(Arc::ptr_eq(&before, &ring.state()));
    ring.add("a", 2).unwrap();
    assert_eq!(ring.state().node("a").map(RingNode::weight), Some(2));
    assert_eq!(ring.state().version(), before.version() + 1);
}

#[test]
fn what_cannot_be_is_refused_and_leaves_the_ring_as_it_was() {
    let ring = ring(&["a"]);
    let wrong = |outcome: Result<()>| outcome.unwrap_err().message().to_string();
    assert_eq!(wrong(ring.add("", 1)), "the name of a node is empty");
    assert_eq!(
        wrong(ring.add("b\n", 0)),
        "node \"b\\n\": the weight 0 is not allowed, it takes 1 to 1000"
    );
    assert!(wrong(ring.add("b", 1001)).contains("1001"));
    assert!(wrong(ring.add("b\0", 1)).contains("NUL"));
    assert!(wrong(ring.set([("b", 1), ("c", 0)])).contains("weight 0"));
    let many = (0..200).map(|n| (n.to_string(), 1000));
    assert!(wrong(ring.set(many)).contains("32000000 points"));
    assert_eq!(ring.state().nodes().len(), 1);
    for wrong in [0, 10_001, u32::MAX] {
        assert!(Ring::with_virtual_nodes(wrong).is_err());
    }
}

#[test]
fn looking_up_goes_on_while_others_change_it() {
    let ring = numbered(3);
    std::thread::scope(|scope| {
        let changing = scope.spawn(|| {
            for n in 0..200 {
                ring.add(&format!("more-{}", n % 7), 1 + n % 3).unwrap();
                ring.remove(&format!("more-{}", (n + 3) % 7));
            }
        });
        while !changing.is_finished() {
            let state = ring.state();
            let replicas = state.replicas_for_key(b"key", 3);
            assert_eq!(replicas.len(), 3);
            assert_eq!(Some(replicas[0]), state.node_for_key(b"key"));
        }
    });
}
