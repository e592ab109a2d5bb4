"""nostr-sdk: which events the relay takes, which it keeps, which it refuses (NIP-01, 40)."""

import asyncio
import json

from relay import Author, RelayTest, altered, fields, ids, in_slices, now, until


class Events(RelayTest):
    async def test_events_of_many_kinds_are_served_as_they_were_published(self):
        relay = await self.connect()
        content = 'ünïcode "quoted" \\ \n\t\u0001 🦉 </script> \u2028'
        tags = [["d", "name"], ["p", Author().pubkey], ["t", "interop"], ["empty", ""], ["single"]]
        for kind in (0, 1, 3, 6, 7, 42, 1111, 1984, 9735, 10002, 30023):
            with self.subTest(kind=kind):
                event = Author().sign(content, kind, tags)
                self.assertAccepted(await relay.publish(event))
                (served,) = await relay.fetch({"ids": ids([event])})
                self.assertEqual(fields(served), fields(event))

    async def test_an_event_published_twice_is_a_duplicate(self):
        relay = await self.connect()
        event = Author().sign("twice")
        self.assertAccepted(await relay.publish(event))
        second = await relay.publish(event)
        self.assertAccepted(second)
        self.assertRegex(second.reason, "^duplicate:")

    async def test_a_newer_profile_takes_the_place_of_the_older(self):
        relay, author = await self.connect(), Author()
        older = author.sign('{"name":"older"}', 0, created_at=now() - 10)
        newer = author.sign('{"name":"newer"}', 0, created_at=now() - 5)
        self.assertAccepted(await relay.publish(older))
        self.assertAccepted(await relay.publish(newer))
        self.assertSameSet(ids(await relay.fetch({"authors": [author.pubkey], "kinds": [0]})), ids([newer]))
        self.assertEqual(await relay.fetch({"ids": ids([older])}), [])

    async def test_an_older_profile_that_comes_late_is_not_served(self):
        relay, author = await self.connect(), Author()
        newer = author.sign('{"name":"newer"}', 0, created_at=now() - 5)
        older = author.sign('{"name":"older"}', 0, created_at=now() - 10)
        self.assertAccepted(await relay.publish(newer))
        await relay.publish(older)
        self.assertSameSet(ids(await relay.fetch({"authors": [author.pubkey], "kinds": [0]})), ids([newer]))
        self.assertEqual(await relay.fetch({"ids": ids([older])}), [])

    async def test_of_two_profiles_of_one_second_the_lower_id_is_kept(self):
        relay = await self.connect()
        for reverse in (False, True):
            with self.subTest(first="higher" if reverse else "lower"):
                author, second = Author(), now() - 5
                pair = [author.sign(content, 0, created_at=second) for content in "ab"]
                for event in sorted(pair, key=lambda event: event.id().to_hex(), reverse=reverse):
                    await relay.publish(event)
                served = await relay.fetch({"authors": [author.pubkey], "kinds": [0]})
                self.assertSameSet(ids(served), [min(ids(pair))])

    async def test_an_article_is_replaced_by_its_d_tag_alone(self):
        relay, author = await self.connect(), Author()
        first = author.sign("draft", 30023, [["d", "one"]], now() - 10)
        second = author.sign("final", 30023, [["d", "one"]], now() - 5)
        other = author.sign("other", 30023, [["d", "two"]], now() - 20)
        for event in (first, second, other):
            self.assertAccepted(await relay.publish(event))
        mine = {"authors": [author.pubkey], "kinds": [30023]}
        self.assertSameSet(ids(await relay.fetch(mine)), ids([second, other]))
        self.assertSameSet(ids(await relay.fetch({**mine, "#d": ["one"]})), ids([second]))

    async def test_a_signature_that_does_not_verify_is_invalid(self):
        relay, author = await self.connect(), Author()
        event = altered(author.sign("signed"), sig=author.sign("another").signature())
        self.assertRefused(await relay.publish(event), "invalid")
        self.assertEqual(await relay.fetch({"ids": ids([event])}), [])

    async def test_an_id_that_is_not_the_hash_of_the_event_is_invalid(self):
        relay = await self.connect()
        event = altered(Author().sign("original"), content="altered")
        self.assertRefused(await relay.publish(event), "invalid")
        self.assertEqual(await relay.fetch({"ids": ids([event])}), [])

    async def test_an_event_that_has_expired_is_refused(self):
        relay = await self.connect()
        event = Author().sign(tags=[["expiration", str(now() - 60)]], created_at=now() - 120)
        self.assertRefused(await relay.publish(event), "invalid", "blocked", "error")
        self.assertEqual(await relay.fetch({"ids": ids([event])}), [])

    async def test_an_event_is_served_until_it_expires(self):
        relay, expiration = await self.connect(), now() + 3
        event = Author().sign(tags=[["expiration", str(expiration)]])
        self.assertAccepted(await relay.publish(event))
        self.assertSameSet(ids(await relay.fetch({"ids": ids([event])})), ids([event]))
        await until(lambda: now() > expiration, "the expiration")
        self.assertEqual(await relay.fetch({"ids": ids([event])}), [])

    async def test_an_event_from_tomorrow_is_invalid(self):
        relay = await self.connect()
        self.assertRefused(await relay.publish(Author().sign(created_at=now() + 86_400)), "invalid")

    async def test_an_ephemeral_event_is_delivered_live_and_not_stored(self):
        reader, writer, author = await self.connect(), await self.connect(), Author()
        subscription = await reader.subscribe({"authors": [author.pubkey], "kinds": [20001]})
        event = author.sign("now or never", 20001)
        self.assertAccepted(await writer.publish(event))
        await until(lambda: reader.received(subscription), "the ephemeral event")
        self.assertEqual(reader.received(subscription), [json.loads(event.as_json())])
        self.assertEqual(await (await self.connect()).fetch({"ids": ids([event])}), [])

    async def test_2000_events_sent_at_once_on_one_connection_each_get_their_ok(self):
        relay, author, base = await self.connect(), Author(), now() - 5000
        burst = [author.sign(f"burst {i}", created_at=base + i) for i in range(2000)]
        refusals = await asyncio.gather(*(relay.send(event) for event in burst))
        lost = [reason for reason in refusals if reason is not None]
        self.assertEqual(len(lost), 0, f"{len(lost)} without OK true, the first: {lost[:1]}")

        stored = [event for part in in_slices(ids(burst)) for event in await relay.fetch({"ids": part})]
        self.assertSameSet(ids(stored), ids(burst))
