// Authentication (NIP-42) and what it opens: direct messages (NIP-04), gift wraps (NIP-59), protected events (NIP-70).

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SILENCE_MS, assertAccepted, assertRefused, assertSameSet, ids, now, pause, until } from './relay.mjs'

/** No event, and if the relay says anything about it, then that AUTH is missing. */
function assertWithheld({ events, closed }) {
  assert.deepEqual(events, [])
  if (closed !== undefined) assert.match(closed, /^(auth-required|restricted): ./)
}

const withTag = (tags, name, value) => tags.map(tag => (tag[0] === name ? [name, value] : tag))

const FORGERIES = {
  'another challenge': ({ tags }) => ({ kind: 22242, tags: withTag(tags, 'challenge', 'guess') }),
  'another relay': ({ tags }) => ({ kind: 22242, tags: withTag(tags, 'relay', 'wss://relay.example') }),
  'a time long ago': ({ tags }) => ({ kind: 22242, tags, created_at: now() - 7200 }),
  'another kind': ({ tags }) => ({ kind: 1, tags }),
}

/** Runs with the library behind `client`: see nostr-tools/client.mjs and ndk/client.mjs. */
export function auth(client) {
  const { ask, askEvents, authenticate, author, challenge, connect, count, listen, publish } = client

  async function connectAs(t, who) {
    const relay = await connect(t)
    assertAccepted(await authenticate(relay, who), 'AUTH')
    return relay
  }

  describe(`${client.name}: authentication`, () => {
    test('a challenge is offered on connect and an answer to it is accepted', async t => {
      const relay = await connect(t)
      const offered = await until(() => challenge(relay), 'AUTH on connect')
      assert.ok(offered.length >= 16, `challenge "${offered}"`)
      assertAccepted(await authenticate(relay, author()), 'AUTH')
    })

    test('every connection gets a challenge of its own', async t => {
      const relays = [await connect(t), await connect(t)]
      await until(() => relays.every(challenge), 'AUTH on connect')
      assert.notEqual(challenge(relays[0]), challenge(relays[1]))
    })

    for (const [what, forge] of Object.entries(FORGERIES)) {
      test(`AUTH with ${what} is refused and opens nothing`, async t => {
        const relay = await connect(t)
        const { sign, pubkey } = author()
        const forger = { pubkey, sign: template => sign(forge(template)) }
        assertRefused(await authenticate(relay, forger), 'invalid', 'auth-required', 'restricted', 'error')
        assertRefused(await publish(relay, await sign({ tags: [['-']] })), 'auth-required')
      })
    }

    test('a direct message is served to its two parties alone', async t => {
      const [sender, recipient, stranger] = [author(), author(), author()]
      const open = await connect(t)
      const message = await sender.sign({ kind: 4, content: 'c2VjcmV0?iv=c2VjcmV0', tags: [['p', recipient.pubkey]] })
      assertAccepted(await publish(open, message))

      for (const party of [sender, recipient]) {
        const relay = await connectAs(t, party)
        assertSameSet(ids(await askEvents(relay, { ids: [message.id] })), [message.id])
        assertSameSet(ids(await askEvents(relay, { kinds: [4], authors: [sender.pubkey] })), [message.id])
        assertSameSet(ids(await askEvents(relay, { kinds: [4], '#p': [recipient.pubkey] })), [message.id])
        assert.equal(await count(relay, { kinds: [4], '#p': [recipient.pubkey] }), 1)
      }

      const strange = await connectAs(t, stranger)
      for (const relay of [open, strange]) {
        assertWithheld(await ask(relay, { kinds: [4] }))
        assertWithheld(await ask(relay, { kinds: [4], authors: [sender.pubkey] }))
        assertWithheld(await ask(relay, { ids: [message.id] }))
        assertWithheld(await ask(relay, { '#p': [recipient.pubkey] }))
        assertWithheld(await ask(relay, { authors: [sender.pubkey] }))
        const counted = await count(relay, { kinds: [4], '#p': [recipient.pubkey] }).catch(error => error.message)
        assert.match(String(counted), /^(0$|auth-required: |restricted: )/)
      }
    })

    test('a gift wrap is served to its recipient alone', async t => {
      const [recipient, stranger, wrapper] = [author(), author(), author()]
      const open = await connect(t)
      const wrap = await wrapper.sign({ kind: 1059, content: 'sealed', created_at: now() - 100_000, tags: [['p', recipient.pubkey]] })
      assertAccepted(await publish(open, wrap))

      const mine = await connectAs(t, recipient)
      assertSameSet(ids(await askEvents(mine, { kinds: [1059], '#p': [recipient.pubkey] })), [wrap.id])
      assertSameSet(ids(await askEvents(mine, { ids: [wrap.id] })), [wrap.id])

      const strange = await connectAs(t, stranger)
      for (const relay of [open, strange]) {
        assertWithheld(await ask(relay, { kinds: [1059] }))
        assertWithheld(await ask(relay, { kinds: [1059], '#p': [recipient.pubkey] }))
        assertWithheld(await ask(relay, { ids: [wrap.id] }))
      }
    })

    test('a direct message is delivered live to its recipient alone', async t => {
      const [sender, recipient] = [author(), author()]
      const [open, mine] = [await connect(t), await connectAs(t, recipient)]
      const filter = { '#p': [recipient.pubkey] }
      const [overheard, received] = [listen(open, filter), listen(mine, filter)]
      await until(() => received.eose && (overheard.eose || overheard.closed), 'EOSE')
      const message = await sender.sign({ kind: 4, content: 'c2VjcmV0?iv=c2VjcmV0', tags: [['p', recipient.pubkey]] })
      assertAccepted(await publish(await connect(t), message))
      await until(() => received.events.length > 0, 'the direct message')
      assertSameSet(ids(received.events), [message.id])
      await pause(SILENCE_MS)
      assert.deepEqual(overheard.events, [])
    })

    test('a protected event is taken from its authenticated author alone', async t => {
      const [owner, stranger] = [author(), author()]
      const event = await owner.sign({ content: 'only from me', tags: [['-']] })
      const open = await connect(t)
      assertRefused(await publish(open, event), 'auth-required')
      assert.deepEqual(await askEvents(open, { ids: [event.id] }), [])
      assertRefused(await publish(await connectAs(t, stranger), event), 'restricted', 'auth-required', 'blocked')
      assertAccepted(await publish(await connectAs(t, owner), event))
      assertSameSet(ids(await askEvents(open, { ids: [event.id] })), [event.id])
    })
  })
}
