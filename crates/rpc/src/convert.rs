//! Events and filters of the original's wire, in the words of `event` and back.
//!
//! `orlydb.v1` and `orlysync.common.v1` each have messages of their own with the same fields; one
//! macro makes the conversions for both. What comes in is checked here and nowhere else.

mod event;
mod filter;
mod malformed;

pub use malformed::Malformed;
pub(crate) use malformed::{fixed, text};

macro_rules! conversions {
    ($package:path) => {
        const _: () = {
            use $package as proto;

            impl From<::event::EventRef<'_>> for proto::Event {
                fn from(event: ::event::EventRef<'_>) -> Self {
                    Self {
                        id: event.id().as_bytes().to_vec().into(),
                        pubkey: event.pubkey().as_bytes().to_vec().into(),
                        created_at: event::seconds(event.created_at()),
                        kind: event.kind().as_u16().into(),
                        tags: event::tags(event).map(|values| proto::Tag { values }).collect(),
                        content: event.content().into_owned().into(),
                        sig: event.sig().as_bytes().to_vec().into(),
                    }
                }
            }

            impl TryFrom<proto::Event> for ::event::Event {
                type Error = Malformed;

                fn try_from(event: proto::Event) -> Result<Self, Malformed> {
                    event::assemble(event::Fields {
                        id: &event.id,
                        pubkey: &event.pubkey,
                        created_at: event.created_at,
                        kind: event.kind,
                        tags: event.tags.iter().map(|tag| &tag.values[..]),
                        content: &event.content,
                        sig: &event.sig,
                    })
                }
            }

            impl From<&::event::Filter> for proto::Filter {
                fn from(filter: &::event::Filter) -> Self {
                    let fields = filter::to_fields(filter);
                    let tags = fields.tags.into_iter();
                    Self {
                        ids: fields.ids,
                        kinds: fields.kinds,
                        authors: fields.authors,
                        tags: tags.map(|(key, values)| (key, proto::TagSet { values })).collect(),
                        since: fields.since,
                        until: fields.until,
                        search: fields.search,
                        limit: fields.limit,
                    }
                }
            }

            impl TryFrom<proto::Filter> for ::event::Filter {
                type Error = Malformed;

                fn try_from(filter: proto::Filter) -> Result<Self, Malformed> {
                    let tags = filter.tags.into_iter();
                    filter::from_fields(filter::Fields {
                        ids: filter.ids,
                        kinds: filter.kinds,
                        authors: filter.authors,
                        tags: tags.map(|(key, set)| (key, set.values)).collect(),
                        since: filter.since,
                        until: filter.until,
                        search: filter.search,
                        limit: filter.limit,
                    })
                }
            }
        };
    };
}

conversions!(crate::proto::orlydb::v1);
conversions!(crate::proto::orlysync::common::v1);

#[cfg(test)]
mod tests;
