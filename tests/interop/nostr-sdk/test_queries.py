"""nostr-sdk: filters, live subscriptions, COUNT (NIP-45), the information document (NIP-11)."""

import asyncio
import json

from nostr_sdk import RelayInformationDocument

from relay import SILENCE, Author, RelayTest, ids, information, now, until

BASE = now() - 10_000


def newest_first(events):
    return sorted(events, key=lambda event: (-event["created_at"], event["id"]))


class Queries(RelayTest):
    async def library(self):
        """Two authors, twenty notes and five reactions: enough for every filter below."""
        self.relay = await self.connect()
        self.alice, self.bob = Author(), Author()
        self.topic = f"topic-{self.alice.pubkey[:8]}"
        self.notes = [
            (self.bob if i % 2 else self.alice).sign(f"note {i}", 1, [] if i % 4 else [["t", self.topic]], BASE + i * 10)
            for i in range(20)
        ]
        self.reactions = [
            self.bob.sign("+", 7, [["e", id], ["p", self.alice.pubkey]], BASE + 500 + i)
            for i, id in enumerate(ids(self.notes[:5]))
        ]
        for event in self.notes + self.reactions:
            self.assertAccepted(await self.relay.publish(event))

    async def test_filters_by_ids_authors_kinds_and_tags(self):
        await self.library()
        alice, bob, notes, reactions = self.alice.pubkey, self.bob.pubkey, self.notes, self.reactions
        cases = [
            ({"ids": ids(notes[3:4])}, notes[3:4]),
            ({"ids": ids(notes[5:15])}, notes[5:15]),
            ({"authors": [alice]}, notes[0::2]),
            ({"authors": [alice, bob], "kinds": [1]}, notes),
            ({"authors": [bob], "kinds": [7]}, reactions),
            ({"authors": [bob], "kinds": [1, 7]}, notes[1::2] + reactions),
            ({"#e": ids(notes[2:3])}, reactions[2:3]),
            ({"#e": ids([notes[0], notes[4]]), "kinds": [7]}, [reactions[0], reactions[4]]),
            ({"#p": [alice]}, reactions),
            ({"#p": [alice], "#e": ids(notes[1:2])}, reactions[1:2]),
            ({"#t": [self.topic]}, notes[0::4]),
            ({"#t": [self.topic], "authors": [bob]}, []),
            ({"ids": ids(notes[3:4]), "kinds": [7]}, []),
        ]
        for filter, expected in cases:
            with self.subTest(filter=filter):
                self.assertSameSet(ids(await self.relay.fetch(filter)), ids(expected))
                served = self.relay.received(await self.relay.subscribe(filter))
                self.assertSameSet([event["id"] for event in served], ids(expected))
                self.assertEqual(served, newest_first(served))

    async def test_since_and_until_include_their_second(self):
        await self.library()
        authors = {"authors": [self.alice.pubkey, self.bob.pubkey]}
        served = await self.relay.fetch({**authors, "since": BASE + 50, "until": BASE + 100})
        self.assertSameSet(ids(served), ids(self.notes[5:11]))
        self.assertSameSet(ids(await self.relay.fetch({**authors, "kinds": [1], "since": BASE + 190})), ids(self.notes[19:]))
        self.assertSameSet(ids(await self.relay.fetch({**authors, "until": BASE})), ids(self.notes[:1]))
        self.assertEqual(await self.relay.fetch({**authors, "since": BASE + 51, "until": BASE + 59}), [])

    async def test_limit_gives_the_newest_newest_first(self):
        await self.library()
        mine = {"authors": [self.alice.pubkey, self.bob.pubkey], "kinds": [1]}
        cases = [
            ({**mine, "limit": 5}, self.notes[15:]),
            ({**mine, "until": BASE + 90, "limit": 3}, self.notes[7:10]),
            (mine, self.notes),
        ]
        for filter, expected in cases:
            with self.subTest(filter=filter):
                served = self.relay.received(await self.relay.subscribe(filter))
                self.assertEqual([event["id"] for event in served], ids(reversed(expected)))

    async def test_events_of_one_second_come_in_the_order_of_their_ids(self):
        relay, author = await self.connect(), Author()
        notes = [author.sign(f"tie {i}", created_at=BASE) for i in range(10)]
        for note in notes:
            self.assertAccepted(await relay.publish(note))
        for limit in (10, 4):
            served = relay.received(await relay.subscribe({"authors": [author.pubkey], "limit": limit}))
            self.assertEqual([event["id"] for event in served], sorted(ids(notes))[:limit])

    async def test_several_filters_in_one_req_are_a_union_without_repeats(self):
        await self.library()
        subscription = await self.relay.subscribe(
            {"authors": [self.alice.pubkey]}, {"ids": ids(self.notes[:3])}, {"#p": [self.alice.pubkey]}
        )
        served = [event["id"] for event in self.relay.received(subscription)]
        self.assertSameSet(served, set(ids(self.notes[:3] + self.notes[0::2] + self.reactions)))

    async def test_a_live_subscription_receives_a_later_event_until_it_is_closed(self):
        reader, writer, author = await self.connect(), await self.connect(), Author()
        stored = author.sign("stored")
        self.assertAccepted(await writer.publish(stored))

        subscription = await reader.subscribe({"authors": [author.pubkey], "kinds": [1]})
        later = author.sign("later")
        for event in (author.sign("another kind", 7), Author().sign("another author"), later):
            self.assertAccepted(await writer.publish(event))
        await until(lambda: len(reader.received(subscription)) >= 2, "the later event")
        self.assertEqual(reader.received(subscription), [json.loads(event.as_json()) for event in (stored, later)])

        await reader.client.unsubscribe(subscription)
        await asyncio.sleep(SILENCE)
        self.assertAccepted(await writer.publish(author.sign("after CLOSE")))
        await asyncio.sleep(SILENCE)
        self.assertEqual(len(reader.received(subscription)), 2)

    async def test_limit_0_asks_for_later_events_only(self):
        reader, writer, author = await self.connect(), await self.connect(), Author()
        self.assertAccepted(await writer.publish(author.sign("stored")))
        subscription = await reader.subscribe({"authors": [author.pubkey], "limit": 0})
        self.assertEqual(reader.received(subscription), [])
        later = author.sign("later")
        self.assertAccepted(await writer.publish(later))
        await until(lambda: reader.received(subscription), "the later event")
        self.assertEqual(reader.received(subscription), [json.loads(later.as_json())])

    async def test_count_counts_what_req_would_serve(self):
        await self.library()
        alice, bob, count = self.alice.pubkey, self.bob.pubkey, self.relay.count
        self.assertEqual(await count({"authors": [alice]}), 10)
        self.assertEqual(await count({"authors": [alice, bob], "kinds": [1]}), 20)
        self.assertEqual(await count({"authors": [bob], "kinds": [7]}), 5)
        self.assertEqual(await count({"#t": [self.topic]}), 5)
        self.assertEqual(await count({"#p": [alice], "since": BASE + 502}), 3)
        self.assertEqual(await count({"authors": [Author().pubkey]}), 0)

        profile = Author()
        for age in (30, 20, 10):
            self.assertAccepted(await self.relay.publish(profile.sign("{}", 0, created_at=now() - age)))
        self.assertEqual(await count({"authors": [profile.pubkey]}), 1)

    async def test_the_information_document_says_what_the_relay_is_and_allows(self):
        raw = json.loads(information())
        self.assertTrue(all(type(nip) is int for nip in raw["supported_nips"]), raw["supported_nips"])

        document = RelayInformationDocument.from_json(information())
        self.assertTrue(document.name())
        self.assertRegex(document.software(), "(?i)orly")
        self.assertRegex(document.version(), r"\d+\.\d+")
        for nip in (1, 9, 11, 40, 42, 45, 70):
            self.assertIn(nip, document.supported_nips())
        limitation = document.limitation()
        for name in ("max_message_length", "max_subscriptions"):
            self.assertGreater(getattr(limitation, name) or 0, 0, name)
        self.assertIs(limitation.auth_required, False)
        self.assertFalse(limitation.payment_required)
