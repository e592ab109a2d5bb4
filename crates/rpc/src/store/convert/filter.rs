//! Queries: filters, lists of ids and keys, and who is asking.

use std::collections::BTreeMap;

use event::{Address, EventId, Filter, Kind, Pubkey, Timestamp};
use prost::bytes::Bytes;
use store::{Hidden, Private, Query, Viewer};

use crate::Malformed;
use crate::proto::orlystore::v1 as proto;

const ID: usize = EventId::LEN;

/// Puts a query on the wire.
pub(in crate::store) fn from_query(query: &Query) -> proto::Query {
    let viewer = (query.viewer != Viewer::OPERATOR).then(|| proto::Viewer {
        pubkeys: match &query.viewer.private {
            Private::All => None,
            Private::Of(pubkeys) => Some(pack_list(pubkeys, Pubkey::as_bytes)),
        },
        sees_hidden: query.viewer.hidden == Hidden::Shown,
    });
    proto::Query { filters: query.filters.iter().map(from_filter).collect(), viewer }
}

/// Reads a query.
pub(in crate::store) fn to_query(query: Option<proto::Query>) -> Result<Query, Malformed> {
    let query = query.ok_or_else(|| Malformed::new("query", "missing"))?;
    let filters = query.filters.into_iter().map(to_filter).collect::<Result<_, _>>()?;
    let viewer = match query.viewer {
        None => Viewer::OPERATOR,
        Some(viewer) => Viewer {
            private: match viewer.pubkeys {
                None => Private::All,
                Some(pubkeys) => Private::Of(list("viewer.pubkeys", &pubkeys, Pubkey::new)?),
            },
            hidden: if viewer.sees_hidden { Hidden::Shown } else { Hidden::Withheld },
        },
    };
    Ok(Query { filters, viewer })
}

/// Puts ids on the wire.
pub(in crate::store) fn pack_ids(ids: &[EventId]) -> proto::Ids {
    pack_list(ids, EventId::as_bytes)
}

/// Reads ids.
pub(in crate::store) fn ids(
    field: &'static str,
    ids: Option<proto::Ids>,
) -> Result<Vec<EventId>, Malformed> {
    list(field, &ids.unwrap_or_default(), EventId::new)
}

/// Reads addresses.
pub(in crate::store) fn addresses(
    field: &'static str,
    texts: &[String],
) -> Result<Vec<Address>, Malformed> {
    let address = |text: &String| {
        Address::from_tag(text).ok_or_else(|| {
            let shown: String = text.chars().take(100).collect();
            Malformed::new(field, format!("{shown:?} is no kind:pubkey:d of a replaceable kind"))
        })
    };
    texts.iter().map(address).collect()
}

fn from_filter(filter: &Filter) -> proto::Filter {
    let tags = filter.tags.iter().map(|(&letter, values)| proto::TagValues {
        letter: letter.into(),
        values: values.iter().map(|value| String::from(&**value)).collect(),
    });
    let numbers = |kinds: &Vec<Kind>| kinds.iter().map(|kind| kind.as_u16().into()).collect();
    proto::Filter {
        ids: filter.ids.as_ref().map(|ids| pack_ids(ids)),
        authors: filter.authors.as_ref().map(|keys| pack_list(keys, Pubkey::as_bytes)),
        kinds: filter.kinds.as_ref().map(|kinds| proto::Kinds { numbers: numbers(kinds) }),
        tags: tags.collect(),
        since: filter.since.map(Timestamp::as_secs),
        until: filter.until.map(Timestamp::as_secs),
        limit: filter.limit,
        search: filter.search.as_ref().map(|words| words.to_string()),
    }
}

fn to_filter(filter: proto::Filter) -> Result<Filter, Malformed> {
    let ids = |ids: proto::Ids| list("filter.ids", &ids, EventId::new).map(sorted);
    let authors = |keys: proto::Ids| list("filter.authors", &keys, Pubkey::new).map(sorted);
    let kinds = |kinds: proto::Kinds| {
        let kinds = kinds.numbers.into_iter().map(|number| {
            u16::try_from(number)
                .map(Kind::new)
                .map_err(|_| Malformed::new("filter.kinds", format!("{number} is more than 65535")))
        });
        kinds.collect::<Result<Vec<_>, _>>().map(sorted)
    };
    let mut tags = BTreeMap::new();
    for tag in filter.tags {
        let letter = u8::try_from(tag.letter).ok().filter(u8::is_ascii_alphabetic);
        let letter = letter.ok_or_else(|| Malformed::new("filter.tags", "expected one letter"))?;
        tags.insert(letter, sorted(tag.values.into_iter().map(String::into_boxed_str).collect()));
    }
    Ok(Filter {
        ids: filter.ids.map(ids).transpose()?,
        authors: filter.authors.map(authors).transpose()?,
        kinds: filter.kinds.map(kinds).transpose()?,
        tags,
        since: filter.since.map(Timestamp::from_secs),
        until: filter.until.map(Timestamp::from_secs),
        limit: filter.limit,
        search: filter.search.map(String::into_boxed_str),
    })
}

fn pack_list<T>(list: &[T], bytes: fn(&T) -> &[u8; ID]) -> proto::Ids {
    let mut packed = Vec::with_capacity(list.len() * ID);
    list.iter().for_each(|each| packed.extend_from_slice(bytes(each)));
    proto::Ids { packed: Bytes::from(packed) }
}

fn list<T>(
    field: &'static str,
    ids: &proto::Ids,
    new: fn([u8; ID]) -> T,
) -> Result<Vec<T>, Malformed> {
    let (list, rest) = ids.packed.as_chunks::<ID>();
    if rest.is_empty() {
        Ok(list.iter().copied().map(new).collect())
    } else {
        let len = ids.packed.len();
        Err(Malformed::new(field, format!("{len} bytes are not a multiple of {ID}")))
    }
}

/// Filters are searched by halves.
fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(filters: &[&str], viewer: Viewer) -> Query {
        Query { filters: filters.iter().map(|text| text.parse().unwrap()).collect(), viewer }
    }

    #[test]
    fn queries_come_back_as_they_were() {
        let (one, two) = ("1".repeat(64), "2".repeat(64));
        let full = format!(
            r##"{{"ids":["{two}","{one}"],"authors":["{one}"],"kinds":[7,1],"#t":["b\"","a"],"#p":["{one}"],"since":1,"until":2,"limit":0,"search":"x"}}"##
        );
        let empty = r##"{"ids":[],"authors":[],"kinds":[],"#e":[]}"##;
        let queries = [
            query(&[], Viewer::OPERATOR),
            query(&["{}"], Viewer::of(vec![])),
            query(&["{}"], Viewer { hidden: Hidden::Shown, ..Viewer::of(vec![]) }),
            query(&["{}"], Viewer { hidden: Hidden::Withheld, ..Viewer::OPERATOR }),
            query(&[&full, empty, "{}"], Viewer::of(vec![Pubkey::new([9; 32]); 2])),
        ];
        for query in queries {
            assert_eq!(to_query(Some(from_query(&query))).unwrap(), query);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let good = from_query(&query(&["{}"], Viewer::OPERATOR));
        let with = |filter: proto::Filter| {
            let query = proto::Query { filters: vec![filter], ..good.clone() };
            to_query(Some(query)).unwrap_err().to_string()
        };
        let none = proto::Filter::default;
        let ids = Some(proto::Ids { packed: vec![0; 33].into() });
        let kinds = Some(proto::Kinds { numbers: vec![65_536] });
        let tags = vec![proto::TagValues { letter: 300, values: vec![] }];
        assert_eq!(to_query(None).unwrap_err().to_string(), "query: missing");
        assert_eq!(
            with(proto::Filter { ids, ..none() }),
            "filter.ids: 33 bytes are not a multiple of 32"
        );
        assert_eq!(
            with(proto::Filter { kinds, ..none() }),
            "filter.kinds: 65536 is more than 65535"
        );
        assert_eq!(with(proto::Filter { tags, ..none() }), "filter.tags: expected one letter");
        assert_eq!(
            addresses("addresses", &["1:x".into()]).unwrap_err().to_string(),
            "addresses: \"1:x\" is no kind:pubkey:d of a replaceable kind"
        );
    }

    #[test]
    fn lists_are_sorted_whoever_sent_them() {
        let packed = [[2; ID], [1; ID], [2; ID]].concat();
        let ids = Some(proto::Ids { packed: packed.into() });
        let filter = to_filter(proto::Filter { ids, ..proto::Filter::default() }).unwrap();
        assert_eq!(filter.ids.unwrap(), [EventId::new([1; ID]), EventId::new([2; ID])]);
    }
}
