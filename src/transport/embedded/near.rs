//! Answers sorted by how far their nodes are.

use super::state::{Catalog, Point};

/// Sorts by the distance from the node `near`, where that is known; what has no place comes last.
pub(super) fn sort<T>(catalog: &Catalog, near: &str, rows: &mut Vec<T>, node: impl Fn(&T) -> &str) {
    let Some(from) = place(catalog, near).filter(|_| !near.is_empty()) else { return };
    let distance =
        |row: &T| place(catalog, node(row)).map_or(f64::INFINITY, |place| from.distance(place));
    let mut placed: Vec<(f64, T)> =
        std::mem::take(rows).into_iter().map(|row| (distance(&row), row)).collect();
    placed.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    rows.extend(placed.into_iter().map(|(_, row)| row));
}

fn place<'a>(catalog: &'a Catalog, node: &str) -> Option<&'a Point> {
    catalog.coordinates_of(node).next().map(|coordinate| &coordinate.coord)
}
