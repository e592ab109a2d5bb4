//! The client's calls for lists: each list has three of its own.

use acl::{Entry, List, Subject};
use tonic::Status;
use tonic::transport::Channel;

use super::failure::malformed;
use crate::convert::Malformed;
use crate::proto::orlyacl::v1 as proto;
use proto::acl_service_client::AclServiceClient;

type Client = AclServiceClient<Channel>;

/// Puts an entry on a list.
pub(super) async fn put(client: &mut Client, list: List, entry: Entry) -> Result<(), Status> {
    let (subject, reason) = (entry.subject.to_string(), entry.reason);
    match list {
        List::BannedPubkeys => {
            client.ban_pubkey(proto::BanPubkeyRequest { pubkey: subject, reason }).await
        }
        List::AllowedPubkeys => {
            client.allow_pubkey(proto::AllowPubkeyRequest { pubkey: subject, reason }).await
        }
        List::BannedEvents => {
            client.ban_event(proto::BanEventRequest { event_id: subject, reason }).await
        }
        List::AllowedEvents => {
            client.allow_event(proto::BanEventRequest { event_id: subject, reason }).await
        }
        List::AllowedKinds => {
            client.allow_kind(proto::AllowKindRequest { kind: kind(entry.subject) }).await
        }
        List::BlockedIps => client.block_ip(proto::BlockIpRequest { ip: subject, reason }).await,
        List::TrustedPubkeys => {
            client.trust_pubkey(proto::TrustPubkeyRequest { pubkey: subject, note: reason }).await
        }
        List::BlacklistedPubkeys => {
            client.blacklist_pubkey(proto::BlacklistPubkeyRequest { pubkey: subject, reason }).await
        }
        List::SpamEvents => {
            let pubkey = entry.author.map(|author| author.to_string()).unwrap_or_default();
            client.mark_spam(proto::MarkSpamRequest { event_id: subject, pubkey, reason }).await
        }
    }?;
    Ok(())
}

/// Takes something off a list.
pub(super) async fn remove(
    client: &mut Client,
    list: List,
    subject: Subject,
) -> Result<(), Status> {
    let text = subject.to_string();
    let pubkey = |pubkey| proto::PubkeyRequest { pubkey };
    let event = |event_id| proto::EventRequest { event_id };
    match list {
        List::BannedPubkeys => client.unban_pubkey(pubkey(text)).await,
        List::AllowedPubkeys => client.disallow_pubkey(pubkey(text)).await,
        List::BannedEvents => client.unban_event(event(text)).await,
        List::AllowedEvents => client.disallow_event(event(text)).await,
        List::AllowedKinds => {
            client.disallow_kind(proto::KindRequest { kind: kind(subject) }).await
        }
        List::BlockedIps => client.unblock_ip(proto::IpRequest { ip: text }).await,
        List::TrustedPubkeys => client.untrust_pubkey(pubkey(text)).await,
        List::BlacklistedPubkeys => client.unblacklist_pubkey(pubkey(text)).await,
        List::SpamEvents => client.unmark_spam(event(text)).await,
    }?;
    Ok(())
}

/// What is on a list.
pub(super) async fn entries(client: &mut Client, list: List) -> Result<Vec<Entry>, Status> {
    let empty = proto::Empty {};
    match list {
        List::BannedPubkeys => read(client.list_banned_pubkeys(empty).await?.into_inner().pubkeys),
        List::AllowedPubkeys => {
            read(client.list_allowed_pubkeys(empty).await?.into_inner().pubkeys)
        }
        List::BannedEvents => read(client.list_banned_events(empty).await?.into_inner().events),
        List::AllowedEvents => read(client.list_allowed_events(empty).await?.into_inner().events),
        List::AllowedKinds => {
            let kinds = client.list_allowed_kinds(empty).await?.into_inner().kinds;
            let entry = |number: &i32| {
                let subject = Subject::Kind(super::entries::kind(*number)?);
                let (reason, added) = (String::new(), event::Timestamp::default());
                Ok(Entry { subject, reason, added, author: None })
            };
            kinds.iter().map(entry).collect::<Result<_, _>>().map_err(malformed)
        }
        List::BlockedIps => read(client.list_blocked_i_ps(empty).await?.into_inner().ips),
        List::TrustedPubkeys => {
            read(client.list_trusted_pubkeys(empty).await?.into_inner().pubkeys)
        }
        List::BlacklistedPubkeys => {
            read(client.list_blacklisted_pubkeys(empty).await?.into_inner().pubkeys)
        }
        List::SpamEvents => read(client.list_spam_events(empty).await?.into_inner().events),
    }
}

fn read<M>(messages: Vec<M>) -> Result<Vec<Entry>, Status>
where
    Entry: TryFrom<M, Error = Malformed>,
{
    let entries = messages.into_iter().map(Entry::try_from);
    entries.collect::<Result<_, _>>().map_err(malformed)
}

fn kind(subject: Subject) -> i32 {
    match subject {
        Subject::Kind(kind) => kind.as_u16().into(),
        // What is no kind is refused by the service.
        Subject::Pubkey(_) | Subject::Event(_) | Subject::Ip(_) => -1,
    }
}
