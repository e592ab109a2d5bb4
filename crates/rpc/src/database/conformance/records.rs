//! Small things kept beside events.

use event::Timestamp;
use tonic::Code;

use super::{DatabaseEngine, fails, fresh, keys, pubkey};
use crate::proto::orlydb::v1 as proto;

const DAY: i64 = 24 * 60 * 60;

fn now() -> i64 {
    Timestamp::now().as_secs().try_into().unwrap()
}

fn hex(number: u8) -> String {
    keys(number).pubkey().to_string()
}

pub async fn markers_are_kept_and_those_of_the_service_are_out_of_reach(
    engine: &dyn DatabaseEngine,
) {
    let mut subject = fresh(engine).await;
    let client = &mut subject.client;
    let key = || "cluster:peer:wss://x".to_owned();
    let get = |key| proto::GetMarkerRequest { key };
    assert!(!client.get_marker(get(key())).await.unwrap().into_inner().found);
    for value in ["one", ""] {
        let request = proto::SetMarkerRequest { key: key(), value: value.into() };
        client.set_marker(request).await.unwrap();
        let answer = client.get_marker(get(key())).await.unwrap().into_inner();
        assert_eq!((answer.found, &answer.value[..]), (true, value.as_bytes()));
    }
    let has = proto::HasMarkerRequest { key: key() };
    assert!(client.has_marker(has.clone()).await.unwrap().into_inner().exists);
    client.delete_marker(proto::DeleteMarkerRequest { key: key() }).await.unwrap();
    assert!(!client.has_marker(has).await.unwrap().into_inner().exists);
    for key in ["db:member:x".to_owned(), String::new(), "x".repeat(501)] {
        let request = proto::SetMarkerRequest { key, value: "x".into() };
        fails(client.set_marker(request).await, Code::InvalidArgument, "set marker failed");
    }
}

pub async fn subscriptions_begin_with_a_trial_and_are_extended(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let client = &mut subject.client;
    let get = || proto::GetSubscriptionRequest { pubkey: pubkey(1) };
    let nothing = client.get_subscription(get()).await.unwrap().into_inner();
    assert_eq!(nothing, proto::Subscription { pubkey: pubkey(1), ..Default::default() });
    for _ in 0..2 {
        let request = proto::IsSubscriptionActiveRequest { pubkey: pubkey(1) };
        assert!(client.is_subscription_active(request).await.unwrap().into_inner().active);
    }
    let trial = client.get_subscription(get()).await.unwrap().into_inner();
    assert_eq!(trial.pubkey, pubkey(1));
    assert!((trial.trial_end - now() - 30 * DAY).abs() < 60, "{trial:?}");
    let quota = || proto::GetBlossomStorageQuotaRequest { pubkey: pubkey(1) };
    let none = client.get_blossom_storage_quota(quota()).await.unwrap().into_inner();
    assert_eq!(none.quota_mb, 0);
    for _ in 0..2 {
        let request = proto::ExtendSubscriptionRequest { pubkey: pubkey(1), days: 10 };
        client.extend_subscription(request).await.unwrap();
    }
    let extend = |tier: String| proto::ExtendBlossomSubscriptionRequest {
        pubkey: pubkey(1),
        tier,
        storage_mb: 500,
        days_extended: 5,
    };
    client.extend_blossom_subscription(extend("large".into())).await.unwrap();
    let long = client.extend_blossom_subscription(extend("x".repeat(257))).await;
    fails(long, Code::InvalidArgument, "tier: more than 256 bytes");
    let paid = client.get_subscription(get()).await.unwrap().into_inner();
    assert!((paid.paid_until - now() - 25 * DAY).abs() < 60, "{paid:?}");
    assert_eq!((paid.blossom_level.as_str(), paid.trial_end), ("large", trial.trial_end));
    let some = client.get_blossom_storage_quota(quota()).await.unwrap().into_inner();
    assert_eq!(some.quota_mb, 500);
    for (key, days, reason) in
        [(pubkey(1), 0, "days: 0 is not"), ("x".into(), 1, "pubkey: expected 32 bytes")]
    {
        let request = proto::ExtendSubscriptionRequest { pubkey: key, days };
        fails(client.extend_subscription(request).await, Code::InvalidArgument, reason);
    }
    for expected in [true, false] {
        let request = proto::IsFirstTimeUserRequest { pubkey: pubkey(7) };
        let answer = client.is_first_time_user(request).await.unwrap().into_inner();
        assert_eq!(answer.first_time, expected);
    }
}

pub async fn payments_are_kept_in_order(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let client = &mut subject.client;
    let pay = |amount, invoice: &str| proto::RecordPaymentRequest {
        pubkey: pubkey(1),
        amount,
        invoice: invoice.into(),
        preimage: "p".into(),
    };
    for (amount, invoice) in [(5, "b"), (3, "a"), (3, "a")] {
        client.record_payment(pay(amount, invoice)).await.unwrap();
    }
    fails(client.record_payment(pay(0, "c")).await, Code::InvalidArgument, "amount: 0");
    let request = proto::GetPaymentHistoryRequest { pubkey: pubkey(1) };
    let made = client.get_payment_history(request).await.unwrap().into_inner().payments;
    let made: Vec<_> = made.iter().map(|payment| (payment.amount, &payment.invoice[..])).collect();
    assert_eq!(made, [(5, "b"), (3, "a")]);
    let request = proto::GetPaymentHistoryRequest { pubkey: pubkey(2) };
    let none = client.get_payment_history(request).await.unwrap().into_inner();
    assert_eq!(none.payments, []);
}

pub async fn paid_subscriptions_are_kept(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let client = &mut subject.client;
    let record = |number| proto::PaidSubscriptionMsg {
        pubkey_hex: hex(number),
        alias: "a".into(),
        expires_at: 200,
        created_at: 100,
        invoice_hash: "h".into(),
    };
    for number in [1, 2] {
        client.save_paid_subscription(record(number)).await.unwrap();
    }
    let request = proto::GetPaidSubscriptionRequest { pubkey_hex: hex(1).to_uppercase() };
    let found = client.get_paid_subscription(request).await.unwrap().into_inner();
    assert_eq!(found, record(1));
    let request = proto::DeletePaidSubscriptionRequest { pubkey_hex: hex(1) };
    client.delete_paid_subscription(request).await.unwrap();
    let request = proto::GetPaidSubscriptionRequest { pubkey_hex: hex(1) };
    fails(client.get_paid_subscription(request).await, Code::NotFound, &hex(1));
    let left = client.list_paid_subscriptions(proto::Empty {}).await.unwrap().into_inner();
    assert_eq!(left.subscriptions, [record(2)]);
}

pub async fn aliases_belong_to_one_each(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let client = &mut subject.client;
    let claim = |alias: &str, number| proto::ClaimAliasRequest {
        alias: alias.into(),
        pubkey_hex: hex(number),
    };
    for alias in ["Anna", "anna", "anna.b"] {
        client.claim_alias(claim(alias, 1)).await.unwrap();
    }
    client.claim_alias(claim("anna", 2)).await.unwrap();
    fails(client.claim_alias(claim("ANNA", 1)).await, Code::AlreadyExists, "\"anna\" is taken");
    for alias in ["", "a b", &"x".repeat(65)] {
        fails(client.claim_alias(claim(alias, 1)).await, Code::InvalidArgument, "alias: expected");
    }
    for (alias, owner) in [("Anna", hex(2)), ("anna.b", hex(1)), ("otto", String::new())] {
        let request = proto::GetPubkeyByAliasRequest { alias: alias.into() };
        let found = client.get_pubkey_by_alias(request).await.unwrap().into_inner();
        assert_eq!(found.pubkey_hex, owner);
        let request = proto::IsAliasTakenRequest { alias: alias.into() };
        let answer = client.is_alias_taken(request).await.unwrap().into_inner();
        assert_eq!(answer.taken, !owner.is_empty());
    }
    for (number, alias) in [(1, "anna.b"), (2, "anna"), (3, "")] {
        let request = proto::GetAliasByPubkeyRequest { pubkey_hex: hex(number) };
        let found = client.get_alias_by_pubkey(request).await.unwrap().into_inner();
        assert_eq!(found.alias, alias);
    }
}

pub async fn members_come_and_go(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let client = &mut subject.client;
    for number in [1, 2] {
        let request =
            proto::AddNip43MemberRequest { pubkey: pubkey(number), invite_code: "code".into() };
        client.add_nip43_member(request).await.unwrap();
    }
    let request = proto::RemoveNip43MemberRequest { pubkey: pubkey(1) };
    client.remove_nip43_member(request).await.unwrap();
    for (number, expected) in [(1, false), (2, true)] {
        let request = proto::IsNip43MemberRequest { pubkey: pubkey(number) };
        let answer = client.is_nip43_member(request).await.unwrap().into_inner();
        assert_eq!(answer.is_member, expected);
    }
    let request = proto::GetNip43MembershipRequest { pubkey: pubkey(2) };
    let found = client.get_nip43_membership(request).await.unwrap().into_inner();
    assert_eq!((found.pubkey, &found.invite_code[..]), (pubkey(2), "code"));
    assert!((found.added_at - now()).abs() < 60);
    let request = proto::GetNip43MembershipRequest { pubkey: pubkey(1) };
    fails(client.get_nip43_membership(request).await, Code::NotFound, &hex(1));
    let all = client.get_all_nip43_members(proto::Empty {}).await.unwrap().into_inner();
    assert_eq!(all.pubkeys, [pubkey(2)]);
}

pub async fn invite_codes_expire(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let client = &mut subject.client;
    for (code, expires_at) in [("good", now() + 600), ("old", now() - 1)] {
        let request = proto::StoreInviteCodeRequest { code: code.into(), expires_at };
        client.store_invite_code(request).await.unwrap();
    }
    let ask = |code: &str| proto::ValidateInviteCodeRequest { code: code.into() };
    for (code, expected) in [("good", true), ("old", false), ("none", false)] {
        let answer = client.validate_invite_code(ask(code)).await.unwrap().into_inner();
        assert_eq!(answer.valid, expected, "{code}");
    }
    client
        .delete_invite_code(proto::DeleteInviteCodeRequest { code: "good".into() })
        .await
        .unwrap();
    let answer = client.validate_invite_code(ask("good")).await.unwrap().into_inner();
    assert!(!answer.valid);
    fails(client.validate_invite_code(ask("")).await, Code::InvalidArgument, "code: has 0 bytes");
}
