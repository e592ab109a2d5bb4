//! Which unit waits for which.

use std::collections::HashMap;

use crate::Unit;

/// Units that cannot be put in an order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrder {
    /// Two units have one name.
    #[error("unit {0} is there twice")]
    Twice(String),
    /// A unit waits for one that is not there.
    #[error("unit {0} waits for {1}, which is not there")]
    Unknown(String, String),
    /// Units wait for each other.
    #[error("unit {0} waits for itself, directly or through others")]
    Circle(String),
}

/// The place of a unit, by numbers instead of names.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) needs: Vec<usize>,
    pub(crate) after: Vec<usize>,
    /// Those that wait for it.
    pub(crate) dependants: Vec<usize>,
    /// How many stand before it at most, one waiting for the other.
    pub(crate) rank: usize,
}

/// The place of each unit.
pub(crate) fn places(units: &[Unit]) -> Result<Vec<Place>, InvalidOrder> {
    let mut numbers = HashMap::new();
    for (number, unit) in units.iter().enumerate() {
        if numbers.insert(unit.name.as_str(), number).is_some() {
            return Err(InvalidOrder::Twice(unit.name.clone()));
        }
    }
    let find = |unit: &Unit, names: &[String]| {
        let number = |name: &String| {
            let number = numbers.get(name.as_str()).copied();
            number.ok_or_else(|| InvalidOrder::Unknown(unit.name.clone(), name.clone()))
        };
        names.iter().map(number).collect::<Result<Vec<_>, _>>()
    };
    let mut places = Vec::new();
    for unit in units {
        let (needs, after) = (find(unit, &unit.needs)?, find(unit, &unit.after)?);
        places.push(Place { needs, after, dependants: Vec::new(), rank: 0 });
    }
    for number in 0..places.len() {
        for before in waits_for(&places[number]) {
            places[before].dependants.push(number);
        }
    }
    rank(units, &mut places)?;
    Ok(places)
}

fn waits_for(place: &Place) -> Vec<usize> {
    place.needs.iter().chain(&place.after).copied().collect()
}

/// Ranks grow until each is above all it waits for; in a circle they would grow for ever.
fn rank(units: &[Unit], places: &mut [Place]) -> Result<(), InvalidOrder> {
    for _ in 0..=places.len() {
        let mut grown = None;
        for number in 0..places.len() {
            let below =
                waits_for(&places[number]).iter().map(|&before| places[before].rank + 1).max();
            let rank = below.unwrap_or_default();
            if rank > places[number].rank {
                places[number].rank = rank;
                grown = Some(number);
            }
        }
        match grown {
            None => return Ok(()),
            Some(number) if places[number].rank > places.len() => {
                return Err(InvalidOrder::Circle(units[number].name.clone()));
            }
            Some(_) => {}
        }
    }
    let highest = (0..places.len()).max_by_key(|&number| places[number].rank).unwrap_or_default();
    Err(InvalidOrder::Circle(units[highest].name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::unit;

    #[test]
    fn ranks_are_above_all_that_is_waited_for() {
        let units = [
            unit("relay", &["db", "acl"], &["sync"]),
            unit("sync", &["acl"], &[]),
            unit("acl", &["db"], &[]),
            unit("db", &[], &[]),
        ];
        let places = places(&units).unwrap();
        let ranks: Vec<usize> = places.iter().map(|place| place.rank).collect();
        assert_eq!(ranks, [3, 2, 1, 0]);
        assert_eq!(places[2].dependants, [0, 1]);
    }

    #[test]
    fn nonsense_is_named() {
        let cases = [
            (vec![unit("a", &[], &[]), unit("a", &[], &[])], "unit a is there twice"),
            (vec![unit("a", &["b"], &[])], "unit a waits for b, which is not there"),
            (
                vec![unit("a", &["b"], &[]), unit("b", &[], &["a"])],
                "unit b waits for itself, directly or through others",
            ),
        ];
        for (units, expected) in cases {
            assert_eq!(places(&units).unwrap_err().to_string(), expected);
        }
        assert!(matches!(places(&[unit("a", &["a"], &[])]), Err(InvalidOrder::Circle(_))));
    }
}
