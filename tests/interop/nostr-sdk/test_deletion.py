"""nostr-sdk: deletion requests (NIP-09)."""

from relay import Author, RelayTest, ids, now


class Deletion(RelayTest):
    async def test_a_deleted_note_is_gone_and_refused_when_it_comes_again(self):
        relay, author = await self.connect(), Author()
        doomed, kept = author.sign("doomed"), author.sign("kept")
        for event in (doomed, kept):
            self.assertAccepted(await relay.publish(event))

        request = author.sign(kind=5, tags=[["e", doomed.id().to_hex()], ["k", "1"]])
        self.assertAccepted(await relay.publish(request))
        self.assertEqual(await relay.fetch({"ids": ids([doomed])}), [])
        self.assertSameSet(ids(await relay.fetch({"authors": [author.pubkey]})), ids([kept, request]))
        self.assertEqual(await relay.count({"authors": [author.pubkey], "kinds": [1]}), 1)

        self.assertRefused(await relay.publish(doomed), "blocked", "deleted", "invalid")
        self.assertEqual(await relay.fetch({"ids": ids([doomed])}), [])

    async def test_a_note_that_comes_after_its_deletion_request_is_refused(self):
        relay, author = await self.connect(), Author()
        doomed = author.sign("late")
        self.assertAccepted(await relay.publish(author.sign(kind=5, tags=[["e", doomed.id().to_hex()]])))
        self.assertRefused(await relay.publish(doomed), "blocked", "deleted", "invalid")
        self.assertEqual(await relay.fetch({"ids": ids([doomed])}), [])

    async def test_a_request_by_another_author_changes_nothing(self):
        relay = await self.connect()
        note = Author().sign("mine")
        self.assertAccepted(await relay.publish(note))
        await relay.publish(Author().sign(kind=5, tags=[["e", note.id().to_hex()]]))
        self.assertSameSet(ids(await relay.fetch({"ids": ids([note])})), ids([note]))

    async def test_a_request_by_address_deletes_the_versions_up_to_its_own_time(self):
        relay, author = await self.connect(), Author()
        old = author.sign("old", 30023, [["d", "news"]], now() - 30)
        later = author.sign("later", 30023, [["d", "news"]], now() - 10)
        request = author.sign(kind=5, tags=[["a", f"30023:{author.pubkey}:news"]], created_at=now() - 20)
        self.assertAccepted(await relay.publish(old))
        self.assertAccepted(await relay.publish(request))
        mine = {"authors": [author.pubkey], "kinds": [30023]}
        self.assertEqual(await relay.fetch(mine), [])
        self.assertRefused(await relay.publish(old), "blocked", "deleted", "invalid")

        self.assertAccepted(await relay.publish(later))
        self.assertSameSet(ids(await relay.fetch(mine)), ids([later]))
