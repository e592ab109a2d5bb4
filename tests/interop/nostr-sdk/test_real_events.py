"""nostr-sdk: 713 events that real clients signed (shared/data/real-events.jsonl) go in and come out unchanged."""

import asyncio
import json
import os
import unittest

from nostr_sdk import Event

from relay import FIELDS, RelayTest, fields, ids, in_slices

PATH = os.environ.get("INTEROP_DATA", "")


def load():
    with open(PATH, encoding="utf-8") as file:
        return [{name: event[name] for name in FIELDS} for event in map(json.loads, filter(str.strip, file))]


def kept(events):
    """The events a relay serves once it got all: of replaceable ones the newest, of equal age the lowest id."""
    newest = {}
    for event in sorted(events, key=lambda event: (-event["created_at"], event["id"])):
        replaceable = event["kind"] in (0, 3) or 10_000 <= event["kind"] < 20_000
        newest.setdefault((event["kind"], event["pubkey"]) if replaceable else event["id"], event)
    return {event["id"]: event for event in newest.values()}


@unittest.skipUnless(os.path.exists(PATH), f"no real events at {PATH!r}")
class RealEvents(RelayTest):
    async def test_1_every_event_is_accepted_or_refused_because_a_newer_version_is_stored(self):
        relay, events = await self.connect(), load()
        refusals = await asyncio.gather(*(relay.send(Event.from_json(json.dumps(event))) for event in events))
        refused = {event["id"]: reason for event, reason in zip(events, refusals) if reason is not None}
        print(f"{len(events)} sent, {len(events) - len(refused)} OK true, {len(refused)} OK false as superseded")
        for id, reason in refused.items():
            self.assertNotIn(id, kept(events), reason)
            self.assertRegex(reason, "^[a-z-]+: .")

    async def test_2_every_event_is_served_with_the_id_that_its_content_hashes_to(self):
        relay, events = await self.connect(), load()
        expected = kept(events)
        served = [event for part in in_slices([e["id"] for e in events]) for event in await relay.fetch({"ids": part})]
        print(f"{len(served)} served, {len(events) - len(expected)} superseded not")
        self.assertSameSet(ids(served), expected)
        for event in served:
            self.assertEqual(fields(event), expected[event.id().to_hex()])
            self.assertTrue(event.verify_id() and event.verify_signature(), event.id().to_hex())

    async def test_3_count_agrees_with_what_is_served(self):
        relay, events = await self.connect(), load()
        counts = [await relay.count({"ids": part}) for part in in_slices([event["id"] for event in events])]
        self.assertEqual(sum(counts), len(kept(events)))
