//! The questions of the table in the README, with parameters drawn from stored events.

use anyhow::{Context, ensure};
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::generate::random::Random;
use crate::sample::SampledEvent;

const DAY: u64 = 86_400;

/// A kind of filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Question {
    /// The latest 500 notes: {"kinds":[1],"limit":500}.
    #[value(name = "kinds-500")]
    Kinds500,
    /// The latest 100 events of an author.
    #[value(name = "author-100")]
    Author100,
    /// One event by its id.
    #[value(name = "id")]
    Id,
    /// Twenty events by their ids.
    #[value(name = "ids-20")]
    Ids20,
    /// The latest 100 events that mention someone: #p.
    #[value(name = "p-100")]
    Mentions100,
    /// The reactions of a day: kind 7, since, until, no limit.
    #[value(name = "kind7-day")]
    ReactionsOfDay,
    /// A home feed: the latest 100 notes of twenty authors.
    #[value(name = "authors-20")]
    Feed20,
}

impl Question {
    pub(super) const ALL: &[Self] = &[
        Self::Kinds500,
        Self::Author100,
        Self::Id,
        Self::Ids20,
        Self::Mentions100,
        Self::ReactionsOfDay,
        Self::Feed20,
    ];

    /// The name as in the report and in `--only`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Kinds500 => "kinds-500",
            Self::Author100 => "author-100",
            Self::Id => "id",
            Self::Ids20 => "ids-20",
            Self::Mentions100 => "p-100",
            Self::ReactionsOfDay => "kind7-day",
            Self::Feed20 => "authors-20",
        }
    }

    /// Draws `count` filters.
    pub(super) fn filters(
        self,
        sampled: &[SampledEvent],
        count: usize,
        seed: u64,
    ) -> anyhow::Result<Vec<String>> {
        let notes: Vec<_> = sampled.iter().filter(|event| event.kind == 1).collect();
        let mentioned: Vec<_> = sampled
            .iter()
            .filter(|event| event.kind != 3)
            .flat_map(|e| e.tag_values("p"))
            .collect();
        ensure!(
            !notes.is_empty() && !mentioned.is_empty(),
            "the sample has no notes, or none that mention anyone"
        );
        let oldest = sampled.iter().map(|event| event.created_at).min().context("empty sample")?;
        let newest = sampled.iter().map(|event| event.created_at).max().context("empty sample")?;
        let days = usize::try_from((newest - oldest) / DAY)?.max(1);

        let mut random = Random::for_item(seed, 1);
        let filter = |_| {
            self.filter(&notes, &mentioned, oldest + random.below(days) as u64 * DAY, &mut random)
                .to_string()
        };
        Ok((0..count).map(filter).collect())
    }

    fn filter(
        self,
        notes: &[&SampledEvent],
        mentioned: &[&str],
        day: u64,
        random: &mut Random,
    ) -> Value {
        match self {
            Self::Kinds500 => json!({"kinds": [1], "limit": 500}),
            Self::Author100 => json!({"authors": [random.pick(notes).pubkey], "limit": 100}),
            Self::Id => json!({"ids": [random.pick(notes).id]}),
            Self::Ids20 => json!({"ids": distinct(20, || random.pick(notes).id.clone())}),
            Self::Mentions100 => json!({"#p": [random.pick(mentioned)], "limit": 100}),
            Self::ReactionsOfDay => json!({"kinds": [7], "since": day, "until": day + DAY - 1}),
            Self::Feed20 => {
                json!({"authors": distinct(20, || random.pick(notes).pubkey.clone()), "kinds": [1], "limit": 100})
            }
        }
    }
}

/// Draws different values, fewer if the sample is small.
fn distinct(count: usize, mut draw: impl FnMut() -> String) -> Vec<String> {
    let mut values = Vec::with_capacity(count);
    for _ in 0..count * 10 {
        let value = draw();
        if values.len() < count && !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampled() -> Vec<SampledEvent> {
        let note = |n: u64| SampledEvent {
            id: format!("id{n}"),
            pubkey: format!("author{n}"),
            created_at: 1_700_000_000 + n * 3600,
            kind: 1,
            tags: vec![vec!["p".into(), format!("author{}", n + 1)]],
        };
        (0..100).map(note).collect()
    }

    #[test]
    fn same_seed_draws_the_same_filters() {
        for question in Question::ALL {
            let filters = question.filters(&sampled(), 50, 3).unwrap();
            assert_eq!(filters, question.filters(&sampled(), 50, 3).unwrap());
            assert_eq!(filters.len(), 50);
        }
    }

    #[test]
    fn twenty_ids_are_different() {
        let filters = Question::Ids20.filters(&sampled(), 1, 3).unwrap();
        let filter: Value = serde_json::from_str(&filters[0]).unwrap();
        let mut ids: Vec<_> =
            filter["ids"].as_array().unwrap().iter().map(ToString::to_string).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 20);
    }
}
