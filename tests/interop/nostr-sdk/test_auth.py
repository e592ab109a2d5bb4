"""nostr-sdk: authentication (NIP-42) and what it opens: direct messages (NIP-04), gift wraps (NIP-59), protected
events (NIP-70)."""

import asyncio

from nostr_sdk import ClientMessage

from relay import RELAY_URL, SILENCE, Author, Ok, RelayTest, ids, now, until


class Authentication(RelayTest):
    def assertWithheld(self, outcome):
        """No event, and if the relay says anything about it, then that AUTH is missing."""
        events, reason = outcome
        self.assertEqual(events, [])
        if reason is not None:
            self.assertRegex(reason, "^(auth-required|restricted): .")

    async def test_a_challenge_is_offered_on_connect_and_an_answer_to_it_is_accepted(self):
        self.assertGreaterEqual(len(await until((await self.connect()).challenge, "AUTH on connect")), 16)
        relay = await self.connect_as(Author())
        (ok,) = [message for message in relay.messages if message[0] == "OK"]
        self.assertIs(ok[2], True, ok)

    async def test_every_connection_gets_a_challenge_of_its_own(self):
        relays = [await self.connect(), await self.connect()]
        challenges = [await until(relay.challenge, "AUTH on connect") for relay in relays]
        self.assertNotEqual(*challenges)

    async def test_a_wrong_answer_is_refused_and_opens_nothing(self):
        forgeries = ({"challenge": "guess"}, {"relay": "wss://relay.example"}, {"created_at": now() - 7200}, {"kind": 1})
        for forged in forgeries:
            with self.subTest(**forged):
                relay, author = await self.connect(), Author()
                challenge = await until(relay.challenge, "AUTH on connect")
                draft = {"kind": 22242, "relay": RELAY_URL, "challenge": challenge, "created_at": now(), **forged}
                tags = [["relay", draft["relay"]], ["challenge", draft["challenge"]]]
                event = author.sign("", draft["kind"], tags, draft["created_at"])
                await relay.relay.send_msg(ClientMessage.auth(event))
                answer = await until(lambda: relay.find("OK", event.id().to_hex()), "OK for AUTH")
                self.assertRefused(Ok(*answer[2:]), "invalid", "auth-required", "restricted", "error")
                self.assertRefused(await relay.publish(author.sign(tags=[["-"]])), "auth-required")

    async def test_a_direct_message_is_served_to_its_two_parties_alone(self):
        sender, recipient, stranger = Author(), Author(), Author()
        open = await self.connect()
        message = sender.sign("c2VjcmV0?iv=c2VjcmV0", 4, [["p", recipient.pubkey]])
        self.assertAccepted(await open.publish(message))
        by_recipient = {"kinds": [4], "#p": [recipient.pubkey]}

        for party in (sender, recipient):
            relay = await self.connect_as(party)
            for filter in ({"ids": ids([message])}, {"kinds": [4], "authors": [sender.pubkey]}, by_recipient):
                self.assertSameSet(ids(await relay.fetch(filter)), ids([message]))
            self.assertEqual(await relay.count(by_recipient), 1)

        for relay in (open, await self.connect_as(stranger)):
            self.assertWithheld(await relay.fetch_or_reason({"kinds": [4]}))
            self.assertWithheld(await relay.fetch_or_reason({"kinds": [4], "authors": [sender.pubkey]}))
            self.assertWithheld(await relay.fetch_or_reason({"ids": ids([message])}))
            self.assertWithheld(await relay.fetch_or_reason({"#p": [recipient.pubkey]}))
            self.assertWithheld(await relay.fetch_or_reason({"authors": [sender.pubkey]}))
            try:
                self.assertEqual(await relay.count(by_recipient), 0)
            except PermissionError as refusal:
                self.assertRegex(str(refusal), "^(auth-required|restricted): .")

    async def test_a_gift_wrap_is_served_to_its_recipient_alone(self):
        recipient, stranger, wrapper = Author(), Author(), Author()
        open = await self.connect()
        wrap = wrapper.sign("sealed", 1059, [["p", recipient.pubkey]], now() - 100_000)
        self.assertAccepted(await open.publish(wrap))
        filters = ({"kinds": [1059], "#p": [recipient.pubkey]}, {"ids": ids([wrap])})

        mine = await self.connect_as(recipient)
        for filter in filters:
            self.assertSameSet(ids(await mine.fetch(filter)), ids([wrap]))
        for relay in (open, await self.connect_as(stranger)):
            for filter in ({"kinds": [1059]}, *filters):
                self.assertWithheld(await relay.fetch_or_reason(filter))

    async def test_a_direct_message_is_delivered_live_to_its_recipient_alone(self):
        sender, recipient = Author(), Author()
        open, mine = await self.connect(), await self.connect_as(recipient)
        overheard = await open.subscribe({"#p": [recipient.pubkey]})
        received = await mine.subscribe({"#p": [recipient.pubkey]})
        message = sender.sign("c2VjcmV0?iv=c2VjcmV0", 4, [["p", recipient.pubkey]])
        self.assertAccepted(await (await self.connect()).publish(message))
        await until(lambda: mine.received(received), "the direct message")
        self.assertEqual([event["id"] for event in mine.received(received)], ids([message]))
        await asyncio.sleep(SILENCE)
        self.assertEqual(open.received(overheard), [])

    async def test_a_protected_event_is_taken_from_its_authenticated_author_alone(self):
        owner, stranger = Author(), Author()
        event = owner.sign("only from me", tags=[["-"]])
        open = await self.connect()
        self.assertRefused(await open.publish(event), "auth-required")
        self.assertEqual(await open.fetch({"ids": ids([event])}), [])
        self.assertRefused(await (await self.connect_as(stranger)).publish(event), "restricted", "auth-required", "blocked")
        self.assertAccepted(await (await self.connect_as(owner)).publish(event))
        self.assertSameSet(ids(await open.fetch({"ids": ids([event])})), ids([event]))
