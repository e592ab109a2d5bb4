//! From a filter to Cypher. All that comes from outside goes into parameters.

use event::{Filter, Kind, Timestamp, unescaped};
use store::{Hidden, HiddenAuthors, Private, Viewer};

use crate::bolt::{Statement, Value};
use crate::keys::{TagHasher, above, below, mentioned};

/// How many pairs of author and kind are looked up one by one; with more, authors alone are.
const MAX_PAIRS: usize = 1000;

/// The index that finds what a filter asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Each id.
    Ids,
    /// A run for each value of a tag.
    Tag(u8),
    /// A run for each author and kind.
    Pairs,
    /// A run for each author.
    Authors,
    /// A run for each kind.
    Kinds,
    /// Everything in order.
    All,
}

/// Who asks, and what they are not shown.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) viewer: &'a Viewer,
    pub(crate) hidden: &'a HiddenAuthors,
    pub(crate) hasher: &'a TagHasher,
    pub(crate) now: Timestamp,
}

/// A filter in Cypher: runs that find events as `e`, and what must hold of them.
pub(crate) struct Search {
    runs: Vec<Run>,
    conditions: Vec<String>,
    params: Vec<(String, Value)>,
}

/// An index that is read once for each `key`.
#[derive(Clone, Copy)]
struct Run {
    keys: &'static str,
    pattern: &'static str,
    /// What the index has in order.
    order: &'static str,
}

impl Way {
    /// The ways in which a filter can be answered that may be narrow, the likeliest first.
    pub(crate) fn of(filter: &Filter) -> Vec<Self> {
        if filter.ids.is_some() {
            return vec![Self::Ids];
        }
        let mut ways = Vec::new();
        match (&filter.authors, &filter.kinds) {
            (Some(authors), Some(kinds)) if authors.len() * kinds.len() <= MAX_PAIRS => {
                ways.push(Self::Pairs);
            }
            (Some(_), _) => ways.push(Self::Authors),
            _ => {}
        }
        ways.extend(filter.tags.keys().copied().map(Self::Tag));
        if ways.is_empty() {
            ways.push(if filter.kinds.is_some() { Self::Kinds } else { Self::All });
        }
        ways
    }

    const fn runs(self) -> &'static [Run] {
        match self {
            Self::Ids => &[Run {
                keys: "$ids",
                pattern: "(e:Event {id: key}) WHERE e.rank > $above AND e.rank < $below",
                order: "e.rank",
            }],
            Self::Tag(_) => &[
                Run {
                    keys: "$mentioned",
                    pattern: "(e:Event)-[r:MENTIONS]->() USING INDEX r:MENTIONS(tag, rank) \
                        WHERE r.tag = key AND r.rank > $above AND r.rank < $below",
                    order: "r.tag, r.rank",
                },
                Run {
                    keys: "$tagged",
                    pattern: "(e:Event)-[r:TAGGED_WITH]->() USING INDEX r:TAGGED_WITH(tag, rank) \
                        WHERE r.tag = key AND r.rank > $above AND r.rank < $below",
                    order: "r.tag, r.rank",
                },
            ],
            Self::Pairs => &[Run {
                keys: "$pairs",
                pattern: "(e:Event) USING INDEX e:Event(pubkey, kind, rank) WHERE e.pubkey = key.author \
                    AND e.kind = key.kind AND e.rank > $above AND e.rank < $below",
                order: "e.pubkey, e.kind, e.rank",
            }],
            Self::Authors => &[Run {
                keys: "$authors",
                pattern: "(e:Event) USING INDEX e:Event(pubkey, rank) \
                    WHERE e.pubkey = key AND e.rank > $above AND e.rank < $below",
                order: "e.pubkey, e.rank",
            }],
            Self::Kinds => &[Run {
                keys: "$kinds",
                pattern: "(e:Event) USING INDEX e:Event(kind, rank) \
                    WHERE e.kind = key AND e.rank > $above AND e.rank < $below",
                order: "e.kind, e.rank",
            }],
            Self::All => &[Run {
                keys: "[0]",
                pattern: "(e:Event) USING INDEX e:Event(rank) WHERE e.rank > $above AND e.rank < $below",
                order: "e.rank",
            }],
        }
    }
}

/// Whether nothing can be what `filter` asks for.
pub(crate) fn finds_nothing(filter: &Filter) -> bool {
    filter.is_empty() || filter.since.is_some_and(|since| since > Timestamp::MAX)
}

impl Search {
    /// What `filter` asks for, found in this way.
    pub(crate) fn new(filter: &Filter, way: Way, asker: Asker<'_>) -> Self {
        let mut search = Self { runs: Vec::new(), conditions: Vec::new(), params: Vec::new() };
        search.param("above", above(filter.until.unwrap_or(Timestamp::MAX)));
        search.param("below", below(filter.since.unwrap_or_default()));
        search.find(filter, way, asker.hasher);
        search.demand(filter, way, asker.hasher);
        search.permit(filter, asker);
        search
    }

    /// A page of the answer in its order, behind the rank `after`: serial and packed event.
    pub(crate) fn page(&self, after: Option<&str>, most: usize) -> Statement {
        let part = |run: &Run| {
            format!(
                "UNWIND {} AS key CALL (key) {{ MATCH {}{} RETURN e ORDER BY {} LIMIT $most }} RETURN e",
                run.keys,
                run.pattern,
                self.and_conditions(),
                run.order
            )
        };
        let parts: Vec<String> = self.runs.iter().map(part).collect();
        let text = format!(
            "CALL () {{ {} }} WITH DISTINCT e ORDER BY e.rank LIMIT $most RETURN e.serial, e.packed",
            parts.join(" UNION ALL ")
        );
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        let mut statement = Statement { text, params: self.params.clone() }.with("most", most);
        if let (Some(after), Some((_, above))) = (after, statement.params.first_mut()) {
            *above = after.into();
        }
        statement
    }

    /// How many entries of the index there are to read; no more than `most` are counted for each key.
    pub(crate) fn breadth(&self, most: u64) -> Statement {
        let part = |run: &Run| {
            format!(
                "UNWIND {} AS key CALL (key) {{ MATCH {} RETURN e LIMIT $most }} RETURN e LIMIT $most",
                run.keys, run.pattern
            )
        };
        let parts: Vec<String> = self.runs.iter().map(part).collect();
        let text = format!("CALL () {{ {} }} RETURN count(e)", parts.join(" UNION ALL "));
        Statement { text, params: self.params.clone() }.with("most", most)
    }

    /// All that is found, each once, as `returning` says of `e`.
    pub(crate) fn all(&self, returning: &str) -> Statement {
        let part = |run: &Run| {
            let Run { keys, pattern, .. } = run;
            format!("UNWIND {keys} AS key MATCH {pattern}{} RETURN e", self.and_conditions())
        };
        let parts: Vec<String> = self.runs.iter().map(part).collect();
        let text =
            format!("CALL () {{ {} }} WITH DISTINCT e {returning}", parts.join(" UNION ALL "));
        Statement { text, params: self.params.clone() }
    }

    fn and_conditions(&self) -> String {
        self.conditions.iter().map(|condition| format!(" AND {condition}")).collect()
    }

    fn param(&mut self, name: &str, value: impl Into<Value>) {
        self.params.push((name.to_owned(), value.into()));
    }

    fn condition(&mut self, text: impl Into<String>) {
        self.conditions.push(text.into());
    }

    /// The runs of a way, and their keys.
    fn find(&mut self, filter: &Filter, way: Way, hasher: &TagHasher) {
        let authors = filter.authors.as_deref().unwrap_or_default();
        let kinds = filter.kinds.as_deref().unwrap_or_default();
        match way {
            Way::Ids => self.param("ids", filter.ids.iter().flatten().collect::<Value>()),
            Way::Tag(letter) => {
                let values = filter.tags.get(&letter).map(Vec::as_slice).unwrap_or_default();
                let hashes = |wanted: bool| {
                    let values = values.iter();
                    let values =
                        values.filter(|value| mentioned(letter, value).is_some() == wanted);
                    values.map(|value| hasher.hash(letter, value)).collect::<Value>()
                };
                self.param("mentioned", hashes(true));
                self.param("tagged", hashes(false));
            }
            Way::Pairs => {
                let pair = |author, kind| Value::map([("author", author), ("kind", number(kind))]);
                let pairs = authors
                    .iter()
                    .flat_map(|author| kinds.iter().map(move |kind| pair(author.into(), *kind)));
                self.param("pairs", pairs.collect::<Value>());
            }
            Way::Authors => self.param("authors", authors.iter().collect::<Value>()),
            Way::Kinds => self.param("kinds", kinds.iter().copied().map(number).collect::<Value>()),
            Way::All => {}
        }
        let is_used = |run: &&Run| {
            let keys =
                self.params.iter().find(|(name, _)| run.keys.strip_prefix('$') == Some(name));
            keys.is_none_or(|(_, keys)| *keys != Value::List(Vec::new()))
        };
        self.runs = way.runs().iter().filter(is_used).copied().collect();
    }

    /// What the filter demands beyond what the way finds.
    fn demand(&mut self, filter: &Filter, way: Way, hasher: &TagHasher) {
        if let Some(authors) = &filter.authors
            && !matches!(way, Way::Pairs | Way::Authors)
        {
            self.param("authors", authors.iter().collect::<Value>());
            self.condition("e.pubkey IN $authors");
        }
        if let Some(kinds) = &filter.kinds
            && !matches!(way, Way::Pairs | Way::Kinds)
        {
            self.param("kinds", kinds.iter().copied().map(number).collect::<Value>());
            self.condition("e.kind IN $kinds");
        }
        for (letter, values) in filter.tags.iter().filter(|(letter, _)| way != Way::Tag(**letter)) {
            let name = format!("tag_{}", char::from(*letter));
            let hashes = values.iter().map(|value| hasher.hash(*letter, value));
            self.param(&name, hashes.collect::<Value>());
            let relation = if *letter == b'p' { "MENTIONS|TAGGED_WITH" } else { "TAGGED_WITH" };
            self.condition(format!("EXISTS {{ (e)-[x:{relation}]->() WHERE x.tag IN ${name} }}"));
        }
        if let Some(search) = &filter.search {
            let words = search.split_whitespace().filter(|word| !word.contains(':'));
            self.param("words", words.map(str::to_lowercase).collect::<Value>());
            self.condition("all(word IN $words WHERE toLower(e.content) CONTAINS word)");
        }
    }

    /// What may be shown, and to whom.
    fn permit(&mut self, filter: &Filter, asker: Asker<'_>) {
        self.param("now", asker.now.as_secs());
        self.condition("(e.expiration IS NULL OR e.expiration > $now)");
        let may_be_private = match &filter.kinds {
            Some(kinds) => kinds.iter().any(|kind| asker.viewer.is_restricted(*kind)),
            None => asker.viewer.private != Private::All,
        };
        if let (true, Private::Of(parties)) = (may_be_private, &asker.viewer.private) {
            let tags = parties.iter().map(|party| asker.hasher.hash(b'p', &party.to_string()));
            self.param("private", Kind::PRIVATE.into_iter().map(number).collect::<Value>());
            self.param("parties", parties.iter().collect::<Value>());
            self.param("party_tags", tags.collect::<Value>());
            self.condition(
                "(NOT e.kind IN $private OR e.pubkey IN $parties \
                 OR EXISTS { (e)-[x:MENTIONS]->() WHERE x.tag IN $party_tags })",
            );
        }
        if asker.viewer.hidden == Hidden::Withheld && !asker.hidden.is_empty() {
            let hidden = asker.hidden.iter().map(|author| Value::from(&author));
            self.param("hidden", hidden.collect::<Value>());
            self.condition("NOT e.pubkey IN $hidden");
        }
    }
}

fn number(kind: Kind) -> Value {
    Value::Int(i64::from(kind.as_u16()))
}

/// What a string of an event stands for; Neo4j is shown what a person would read.
pub(crate) fn readable(value: &str) -> Value {
    unescaped(value).into_owned().into()
}
