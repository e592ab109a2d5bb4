"""nostr-sdk: reconciliation (NIP-77) between its database and the relay: down, up, both."""

import asyncio
import os
import tempfile
import unittest

from nostr_sdk import EventId, NegentropyItem, NostrLmdb, NostrSdkError, SyncDirection, SyncOptions, Timestamp

from relay import PATIENCE, Author, RelayTest, as_filter, fields, fresh_kind, ids, in_slices, now, reason_not_to_reconcile, until

BASE = now() - 50_000
REASON = reason_not_to_reconcile()


def notes(author, kind, length, tags=()):
    return [author.sign(str(i), kind, tags, BASE + i) for i in range(length)]


@unittest.skipIf(REASON, REASON)
class Reconciliation(RelayTest):
    async def connect_with_database(self, events=()):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        database = await NostrLmdb.open(directory.name)
        for event in events:
            await database.save_event(event)
        connection = await self.connect(database=database)
        connection.database = database
        return connection

    async def store(self, connection, events):
        refusals = await asyncio.gather(*(connection.send(event) for event in events))
        self.assertEqual([reason for reason in refusals if reason is not None], [])

    async def served(self, connection, events):
        """What the relay serves of `events`."""
        return [event for part in in_slices(ids(events)) for event in await connection.fetch({"ids": part})]

    async def sync(self, connection, filter, direction):
        output = await connection.client.sync(as_filter(filter), opts=_options(direction))
        self.assertEqual(output.failed, {})
        self.assertEqual([str(item) for items in output.report.send_failures.values() for item in items], [])
        return output.report

    async def reconcile(self, connection, filter, items=()):
        """What the relay has and `items` have not, and the other way round; nothing is moved."""
        items = [NegentropyItem(id=EventId.parse(id), timestamp=Timestamp.from_secs(time)) for id, time in items]
        options = _options(SyncDirection.BOTH).dry_run()
        summary = await connection.relay.sync(as_filter(filter), items=items, opts=options)
        return [id.to_hex() for id in summary.remote], [id.to_hex() for id in summary.local]

    async def assertSameSides(self, connection, filter, expected):
        """Database and relay hold `expected`, event by event, and the next sync moves nothing."""
        wanted = {event.id().to_hex(): fields(event) for event in expected}
        for side in (await connection.database.query(as_filter(filter)), await self.served(connection, expected)):
            self.assertSameSet(ids(side), wanted)
            for event in side:
                self.assertEqual(fields(event), wanted[event.id().to_hex()])
                self.assertTrue(event.verify())
        again = await self.sync(connection, filter, SyncDirection.BOTH)
        self.assertEqual((again.local, again.remote, again.sent, again.received), ([], {}, {}, {}))

    async def test_down_fills_an_empty_database(self):
        kind = fresh_kind()
        stored = notes(Author(), kind, 250)
        connection = await self.connect_with_database()
        await self.store(await self.connect(), stored)
        report = await self.sync(connection, {"kinds": [kind]}, SyncDirection.DOWN)
        self.assertSameSet([id.to_hex() for id in report.received], ids(stored))
        self.assertEqual(report.sent, {})
        await self.assertSameSides(connection, {"kinds": [kind]}, stored)

    async def test_up_fills_an_empty_relay(self):
        kind = fresh_kind()
        local = notes(Author(), kind, 250)
        connection = await self.connect_with_database(local)
        report = await self.sync(connection, {"kinds": [kind]}, SyncDirection.UP)
        self.assertSameSet([id.to_hex() for id in report.sent], ids(local))
        self.assertEqual(report.received, {})
        await self.assertSameSides(connection, {"kinds": [kind]}, local)

    async def test_both_makes_one_set_of_two_that_overlap(self):
        kind = fresh_kind()
        all = notes(Author(), kind, 450)
        connection = await self.connect_with_database(event for i, event in enumerate(all) if i % 3 != 1)
        await self.store(await self.connect(), [event for i, event in enumerate(all) if i % 3 != 0])
        report = await self.sync(connection, {"kinds": [kind]}, SyncDirection.BOTH)
        self.assertSameSet([id.to_hex() for id in report.sent], ids(all[0::3]))
        self.assertSameSet([id.to_hex() for id in report.received], ids(all[1::3]))
        await self.assertSameSides(connection, {"kinds": [kind]}, all)

    async def test_replaceable_events_end_at_the_newest_on_both_sides(self):
        author = Author()
        versions = [author.sign(str(age), 10002, created_at=now() - age) for age in (40, 30, 20, 10)]
        articles = {age: author.sign(str(age), 30023, [["d", "x"]], now() - age) for age in (40, 10)}
        connection = await self.connect_with_database([versions[1], versions[3], articles[40]])
        await self.store(await self.connect(), [versions[0], versions[2], articles[10]])
        mine = {"authors": [author.pubkey]}
        await connection.client.sync(as_filter(mine), opts=_options(SyncDirection.BOTH))
        await self.assertSameSides(connection, mine, [versions[3], articles[10]])

    async def test_every_sort_of_filter_names_the_set_that_req_serves(self):
        connection, alice, bob = await self.connect(), Author(), Author()
        first, second = fresh_kind(), fresh_kind()
        stored = notes(alice, first, 60, [["t", "red"]]) + notes(alice, second, 60) + notes(bob, first, 60, [["t", "blue"]])
        await self.store(connection, stored)
        time = {"since": BASE + 10, "until": BASE + 39}
        cases = [
            ({"kinds": [first]}, 120),
            ({"kinds": [first, second]}, 180),
            ({"kinds": [first, second], **time}, 90),
            ({"authors": [alice.pubkey]}, 120),
            ({"authors": [alice.pubkey, bob.pubkey], "kinds": [first], **time}, 60),
            ({"kinds": [first], "#t": ["red"]}, 60),
            ({"ids": ids(stored[50:70])}, 20),
            ({"kinds": [fresh_kind()]}, 0),
        ]
        for filter, size in cases:
            with self.subTest(filter=filter):
                served = ids(await connection.fetch({**filter, "limit": 200}))
                self.assertEqual(len(served), size)
                need, have = await self.reconcile(connection, filter)
                self.assertSameSet(need, served)
                self.assertEqual(have, [])

    async def test_large_sets_cross_many_frames_without_losing_an_item(self):
        connection, kind = await self.connect(), fresh_kind()
        stored = notes(Author(), kind, 1500)
        await self.store(connection, stored)
        shared = [(event.id().to_hex(), event.created_at().as_secs()) for event in stored[::10]]
        strange = [(os.urandom(32).hex(), BASE + i % 1700) for i in range(4000)]
        need, have = await self.reconcile(connection, {"kinds": [kind]}, shared + strange)
        self.assertSameSet(need, {id for i, id in enumerate(ids(stored)) if i % 10})
        self.assertSameSet(have, [id for id, _ in strange])

    async def test_what_req_does_not_serve_is_not_offered(self):
        connection, author, expiration = await self.connect(), Author(), now() + 2
        older, newer = (author.sign(str(age), 0, created_at=now() - age) for age in (20, 10))
        doomed, kept = author.sign("doomed"), author.sign("kept")
        fading = author.sign("fading", tags=[["expiration", str(expiration)]])
        request = author.sign(kind=5, tags=[["e", doomed.id().to_hex()]])
        for event in (older, newer, doomed, kept, fading, request):
            self.assertAccepted(await connection.publish(event))
        await until(lambda: now() > expiration, "the expiration")
        need, _ = await self.reconcile(connection, {"authors": [author.pubkey]})
        self.assertSameSet(need, ids([newer, kept, request]))

    async def test_a_direct_message_is_offered_to_its_parties_alone(self):
        sender, recipient = Author(), Author()
        open, mine = await self.connect(), await self.connect_as(recipient)
        tags = [["p", recipient.pubkey]]
        note, message = sender.sign("public", 1, tags), sender.sign("c2VjcmV0?iv=c2VjcmV0", 4, tags)
        await self.store(open, [note, message])
        self.assertSameSet((await self.reconcile(mine, {"#p": [recipient.pubkey]}))[0], ids([note, message]))
        self.assertSameSet((await self.reconcile(open, {"#p": [recipient.pubkey]}))[0], ids([note]))
        for filter in ({"authors": [sender.pubkey]}, {"since": message.created_at().as_secs() - 1}, {"kinds": [1, 4]}, {"kinds": [4]}):
            with self.subTest(filter=filter):
                try:
                    need, _ = await self.reconcile(open, filter)
                except NostrSdkError.Generic as error:
                    self.assertRegex(error[0], "auth-required|restricted")
                else:
                    self.assertNotIn(message.id().to_hex(), need)


def _options(direction):
    return SyncOptions().direction(direction).initial_timeout(PATIENCE)
