"""The Python package nostr-sdk as the tests use it. Connections close when their test ends, every wait has an end."""

import asyncio
import itertools
import json
import os
import random
import time
import unittest
import urllib.request
from datetime import timedelta

from nostr_sdk import (
    ClientBuilder, ClientMessage, Event, EventBuilder, Filter, Keys, Kind, NostrSdkError, RelayInformationDocument,
    RelayUrl, ReqTarget, SignerAuthenticator, Tag, Timestamp,
)
from nostr_sdk.nostr_sdk import uniffi_set_event_loop

RELAY_URL = os.environ["INTEROP_URL"]

# Long enough for a busy machine with two cores, short enough to name a hang.
PATIENCE = timedelta(seconds=20)
PATIENCE_FOR_MANY = timedelta(seconds=60)

# How long nothing has to come before a test says that nothing comes.
SILENCE = 0.7

FIELDS = ("id", "pubkey", "created_at", "kind", "tags", "content", "sig")

_kinds = iter(range(random.randrange(5000, 6800), 10_000))


def now():
    return int(time.time())


def fresh_kind():
    """A regular kind that nothing else on the relay has: kinds alone then name a set of the test's own."""
    return next(_kinds)


def ids(events):
    return [event.id().to_hex() for event in events]


def fields(event):
    """The seven fields of an event of the library, as they are on the wire."""
    return {name: value for name, value in json.loads(event.as_json()).items() if name in FIELDS}


def as_filter(filter):
    return Filter.from_json(json.dumps(filter))


def in_slices(items, size=100):
    """`items` in slices of a size that every relay answers in one REQ."""
    return (items[i : i + size] for i in range(0, len(items), size))


def information():
    """The relay's NIP-11 document, as JSON text."""
    request = urllib.request.Request("http" + RELAY_URL.removeprefix("ws"), headers={"Accept": "application/nostr+json"})
    with urllib.request.urlopen(request, timeout=PATIENCE.total_seconds()) as response:
        return response.read().decode()


def reason_not_to_reconcile():
    """Why the NIP-77 tests do not run against this relay, or None when they do."""
    nips = RelayInformationDocument.from_json(information()).supported_nips()
    return None if 77 in nips else f"NIP-11 does not list 77: {nips}"


async def until(condition, what):
    """Waits until `condition` returns something true, and returns that."""
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while not (outcome := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE.total_seconds():.0f} s for {what}")
        await asyncio.sleep(0.01)
    return outcome


class Author:
    """A new key pair."""

    def __init__(self):
        self.keys = Keys.generate()
        self.pubkey = self.keys.public_key().to_hex()

    def sign(self, content="", kind=1, tags=(), created_at=None):
        builder = EventBuilder(Kind(kind), content).tags([Tag.parse(list(tag)) for tag in tags])
        return builder.custom_created_at(Timestamp.from_secs(created_at or now())).finalize(self.keys)


class Ok:
    """What the relay answered to EVENT."""

    def __init__(self, accepted, reason):
        self.accepted, self.reason = accepted, reason


class Connection:
    """One client, one relay; `messages` are all that the relay sent, as JSON arrays."""

    def __init__(self, client, relay, messages):
        self.client, self.relay, self.messages, self.counts = client, relay, messages, itertools.count()

    async def publish(self, event):
        """The relay's OK; no OK in time is an error."""
        id, start = event.id().to_hex(), len(self.messages)
        refusal = None
        try:
            await self.relay.send_event(event, ok_timeout=PATIENCE_FOR_MANY)
        except NostrSdkError.Generic as error:
            refusal = error[0]
        _, _, accepted, reason = await until(lambda: self.find("OK", id, start), f"OK for {id} ({refusal})")
        if accepted != (refusal is None):
            raise AssertionError(f"OK {accepted} {reason!r}, the library says {refusal!r}")
        return Ok(accepted, reason)

    async def send(self, event):
        """Publishes without a look at the messages, for many at once: the reason of a refusal, or None."""
        try:
            await self.relay.send_event(event, ok_timeout=PATIENCE_FOR_MANY)
        except NostrSdkError.Generic as error:
            return error[0]

    async def fetch(self, filter):
        """Stored events that match; a CLOSED is an error with its reason."""
        return await self.relay.fetch_events(as_filter(filter), PATIENCE)

    async def fetch_or_reason(self, filter):
        """Stored events that match, and the reason of a CLOSED."""
        try:
            return await self.fetch(filter), None
        except NostrSdkError.Generic as error:
            return [], error[0]

    async def count(self, filter):
        """COUNT; a CLOSED is an error with its reason. The library's `count_events` does not hear CLOSED, and misses
        an answer that comes before it listens."""
        id = f"count-{next(self.counts)}"
        await self.relay.send_msg(ClientMessage.count(id, as_filter(filter)))
        type, _, answer = await until(lambda: self.find("COUNT", id) or self.find("CLOSED", id), "an answer to COUNT")
        if type == "CLOSED":
            raise PermissionError(answer)
        return answer["count"]

    async def subscribe(self, *filters):
        """Opens a subscription and waits for its EOSE."""
        output = await self.client.subscribe(ReqTarget.manual({self.relay.url(): [as_filter(filter) for filter in filters]}))
        await until(lambda: self.find("EOSE", output.id) or self.find("CLOSED", output.id), "EOSE")
        return output.id

    def received(self, subscription):
        """The events that came for a subscription, in the order they came."""
        return [message[2] for message in self.messages if message[:2] == ["EVENT", subscription]]

    def challenge(self):
        return next((message[1] for message in self.messages if message[0] == "AUTH"), None)

    def find(self, type, id, start=0):
        return next((message for message in self.messages[start:] if message[:2] == [type, id]), None)


class RelayTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        loop = asyncio.get_running_loop()
        # Callbacks of the library arrive on threads of its own, which unittest's debug mode does not forgive.
        uniffi_set_event_loop(loop)
        loop.set_debug(False)

    async def connect(self, authenticator=None, database=None):
        """Connects for the length of the test; an `authenticator` answers the challenge at once."""
        builder = ClientBuilder().verify_subscriptions(True)
        if authenticator:
            builder = builder.authenticator(authenticator)
        if database:
            builder = builder.database(database)
        client, messages = builder.build(), []
        pump = asyncio.create_task(_collect(client.notifications(), messages))
        self.addAsyncCleanup(_shut_down, client, pump)

        url = RelayUrl.parse(RELAY_URL)
        await client.add_relay(url)
        output = await client.try_connect(PATIENCE)
        self.assertEqual(output.failed, {})
        return Connection(client, await client.relay(url), messages)

    async def connect_as(self, author):
        """A connection that has authenticated as `author`."""
        connection = await self.connect(SignerAuthenticator(author.keys))
        await until(lambda: any(message[0] == "OK" for message in connection.messages), "OK for AUTH")
        return connection

    def assertAccepted(self, ok):
        self.assertTrue(ok.accepted, f"refused with {ok.reason!r}")

    def assertRefused(self, ok, *prefixes):
        """A refusal has to begin with one of `prefixes`, as NIP-01 writes it: `prefix: text`."""
        self.assertFalse(ok.accepted, f"accepted with {ok.reason!r}")
        prefix, colon, text = ok.reason.partition(": ")
        self.assertTrue(colon and text and prefix in prefixes, f"refused with {ok.reason!r}, expected {prefixes}")

    def assertSameSet(self, served, expected):
        """Same ids, each once, in any order; names a few of those that differ, not thousands."""
        served, expected = list(served), set(expected)
        missing, surplus = expected - set(served), set(served) - expected
        repeated = len(served) - len(set(served))
        if missing or surplus or repeated:
            self.fail(
                f"{len(expected)} expected: missing {len(missing)} {sorted(missing)[:3]}, "
                f"surplus {len(surplus)} {sorted(surplus)[:3]}, repeated {repeated}"
            )


def altered(event, **changes):
    """The event with other values, its id and signature left as they were."""
    return Event.from_json(json.dumps({**json.loads(event.as_json()), **changes}))


async def _collect(stream, messages):
    while (notification := await stream.next()) is not None:
        if notification.is_MESSAGE():
            messages.append(json.loads(notification.message.as_json()))


async def _shut_down(client, pump):
    await client.shutdown()
    pump.cancel()
