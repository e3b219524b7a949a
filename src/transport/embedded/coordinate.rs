//! `/v1/coordinate/`.

use super::decode::{self, Fields};
use super::query;
use super::state::{Coordinate, Point, State};
use super::wait::{Options, Read};
use super::wire::{Answer, Outcome, Wire};
use serde_json::Value;

/// How many dimensions the space has.
const DIMENSIONS: usize = 8;

/// Of other datacenters: there are none.
pub(super) fn datacenters(_: &mut State, _: &Wire) -> Outcome<Answer> {
    Ok(Answer::json(&[(); 0]))
}

pub(super) fn nodes(state: &State, wire: &Wire) -> Outcome<Read> {
    Options::parse(wire)?;
    wire.check_datacenter().map_err(Answer::with_empty_meta)?;
    let found = state.catalog().coordinates().filter(|place| in_segment(place, wire));
    let index = state.catalog().coordinates_index();
    Ok(Read::at(index, Answer::json(&found.collect::<Vec<_>>())))
}

pub(super) fn node(state: &State, wire: &Wire) -> Outcome<Read> {
    Options::parse(wire)?;
    wire.check_datacenter().map_err(Answer::with_empty_meta)?;
    let name = wire.name();
    let found = state.catalog().coordinates_of(name).filter(|place| in_segment(place, wire));
    // Under the name that was asked for.
    let found: Vec<Coordinate> =
        found.map(|place| Coordinate { node: name.to_owned(), ..place.clone() }).collect();
    if found.is_empty() {
        // Only a blocking query waits; the answer tells no index.
        return Err(Answer::empty(404));
    }
    Ok(Read::at(state.catalog().coordinates_index(), Answer::json(&found)))
}

fn in_segment(place: &Coordinate, wire: &Wire) -> bool {
    !wire.has("segment") || place.segment == wire.param("segment")
}

/// Takes it over with the next batch.
pub(super) fn update(state: &mut State, wire: &Wire) -> Outcome<Answer> {
    let place = read(&wire.body).map_err(query::undecodable)?;
    wire.check_datacenter()?;
    let Some(coord) = place.coord.filter(|coord| coord.vec.len() == DIMENSIONS) else {
        return Err(Answer::error(500, "incompatible coordinate"));
    };
    state.plan_coordinate(Coordinate { node: place.node, segment: place.segment, coord });
    Ok(Answer::empty(200))
}

#[derive(Default)]
struct Given {
    node: String,
    segment: String,
    coord: Option<Point>,
}

fn read(body: &[u8]) -> Result<Given, String> {
    let value = decode::parse(body)?;
    let top = Fields::top(&value, "CoordinateUpdateRequest", "structs.CoordinateUpdateRequest")?;
    let Some(fields) = top else { return Ok(Given::default()) };
    fields.allow_only(&["Datacenter", "Node", "Segment", "Coord", "Token"])?;
    let found = fields.fields("Coord", "Coordinate", "coordinate.Coordinate")?;
    let coord = found.map(|fields| point(&fields)).transpose()?;
    Ok(Given { node: fields.text("Node")?, segment: fields.text("Segment")?, coord })
}

fn point(fields: &Fields<'_>) -> Result<Point, String> {
    fields.allow_only(&["Vec", "Error", "Adjustment", "Height"])?;
    let float = |value: &Value, name: &str| {
        value.as_f64().ok_or_else(|| fields.mismatch(decode::kind(value), name, "float64"))
    };
    let one = |name: &str| fields.get(name).map_or(Ok(0.0), |value| float(value, name));
    let vec = match fields.get("Vec") {
        None => Vec::new(),
        Some(Value::Array(all)) => {
            all.iter().map(|value| float(value, "Vec")).collect::<Result<_, _>>()?
        }
        Some(other) => return Err(fields.mismatch(decode::kind(other), "Vec", "[]float64")),
    };
    let (error, adjustment, height) = (one("Error")?, one("Adjustment")?, one("Height")?);
    Ok(Point { vec, error, adjustment, height })
}
