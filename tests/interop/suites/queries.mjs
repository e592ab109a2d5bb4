// Filters, live subscriptions, COUNT (NIP-45), the information document (NIP-11).

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  SILENCE_MS, assertAccepted, assertInformation, assertNewestFirst, assertSameEvent, assertSameSet, ids, now, pause, until,
} from './relay.mjs'

const BASE = now() - 10_000

/** Runs with the library behind `client`: see nostr-tools/client.mjs and ndk/client.mjs. */
export function queries(client) {
  const { askEvents, author, connect, count, information, listenLive, publish } = client

  /** Two authors, twenty notes and five reactions: enough for every filter below. */
  async function library(t) {
    const relay = await connect(t)
    const [alice, bob] = [author(), author()]
    const topic = `topic-${alice.pubkey.slice(0, 8)}`
    const notes = await Promise.all(Array.from({ length: 20 }, (_, i) =>
      (i % 2 ? bob : alice).sign({ content: `note ${i}`, created_at: BASE + i * 10, tags: i % 4 ? [] : [['t', topic]] })))
    const reactions = await Promise.all(notes.slice(0, 5).map((note, i) =>
      bob.sign({ kind: 7, content: '+', created_at: BASE + 500 + i, tags: [['e', note.id], ['p', alice.pubkey]] })))
    for (const event of [...notes, ...reactions]) assertAccepted(await publish(relay, event))
    return { relay, alice, bob, topic, notes, reactions }
  }

  describe(`${client.name}: queries`, () => {
    test('filters by ids, authors, kinds and tags', async t => {
      const { relay, alice, bob, topic, notes, reactions } = await library(t)
      const by = ({ pubkey }) => notes.filter(note => note.pubkey === pubkey)
      const cases = [
        [{ ids: [notes[3].id] }, [notes[3]]],
        [{ ids: ids(notes.slice(5, 15)) }, notes.slice(5, 15)],
        [{ authors: [alice.pubkey] }, by(alice)],
        [{ authors: [alice.pubkey, bob.pubkey], kinds: [1] }, notes],
        [{ authors: [bob.pubkey], kinds: [7] }, reactions],
        [{ authors: [bob.pubkey], kinds: [1, 7] }, [...by(bob), ...reactions]],
        [{ '#e': [notes[2].id] }, [reactions[2]]],
        [{ '#e': [notes[0].id, notes[4].id], kinds: [7] }, [reactions[0], reactions[4]]],
        [{ '#p': [alice.pubkey] }, reactions],
        [{ '#p': [alice.pubkey], '#e': [notes[1].id] }, [reactions[1]]],
        [{ '#t': [topic] }, notes.filter((_, i) => i % 4 === 0)],
        [{ '#t': [topic], authors: [bob.pubkey] }, []],
        [{ ids: [notes[3].id], kinds: [7] }, []],
      ]
      for (const [filter, expected] of cases) {
        await t.test(JSON.stringify(filter).replace(/[0-9a-f]{64}/g, '…').slice(0, 60), async () => {
          const served = await askEvents(relay, filter)
          assertSameSet(ids(served), ids(expected))
          assertNewestFirst(served)
        })
      }
    })

    test('since and until include their second', async t => {
      const { relay, alice, bob, notes } = await library(t)
      const authors = [alice.pubkey, bob.pubkey]
      const served = await askEvents(relay, { authors, since: BASE + 50, until: BASE + 100 })
      assertSameSet(ids(served), ids(notes.slice(5, 11)))
      assertSameSet(ids(await askEvents(relay, { authors, kinds: [1], since: BASE + 190 })), ids(notes.slice(19)))
      assertSameSet(ids(await askEvents(relay, { authors, until: BASE })), ids(notes.slice(0, 1)))
      assert.deepEqual(await askEvents(relay, { authors, since: BASE + 51, until: BASE + 59 }), [])
    })

    test('limit gives the newest, newest first', async t => {
      const { relay, alice, bob, notes } = await library(t)
      const filter = { authors: [alice.pubkey, bob.pubkey], kinds: [1] }
      assert.deepEqual(ids(await askEvents(relay, { ...filter, limit: 5 })), ids(notes.slice(15).reverse()))
      assert.deepEqual(ids(await askEvents(relay, { ...filter, until: BASE + 90, limit: 3 })), ids(notes.slice(7, 10).reverse()))
      assert.deepEqual(ids(await askEvents(relay, filter)), ids(notes.toReversed()))
    })

    test('events of one second come in the order of their ids', async t => {
      const relay = await connect(t)
      const { sign, pubkey } = author()
      const notes = await Promise.all(Array.from({ length: 10 }, (_, i) => sign({ content: `tie ${i}`, created_at: BASE })))
      for (const note of notes) assertAccepted(await publish(relay, note))
      assert.deepEqual(ids(await askEvents(relay, { authors: [pubkey] })), ids(notes).sort())
      assert.deepEqual(ids(await askEvents(relay, { authors: [pubkey], limit: 4 })), ids(notes).sort().slice(0, 4))
    })

    test('several filters in one REQ are a union without repeats', async t => {
      const { relay, alice, notes, reactions } = await library(t)
      const served = await askEvents(relay, { authors: [alice.pubkey] }, { ids: ids(notes.slice(0, 3)) }, { '#p': [alice.pubkey] })
      const expected = [...notes.filter((note, i) => i < 3 || note.pubkey === alice.pubkey), ...reactions]
      assertSameSet(ids(served), ids(expected))
    })

    test('a live subscription receives a later event, until it is closed', async t => {
      const [reader, writer] = [await connect(t), await connect(t)]
      const { sign, pubkey } = author()
      const stored = await sign({ content: 'stored' })
      assertAccepted(await publish(writer, stored))

      const subscription = await listenLive(reader, { authors: [pubkey], kinds: [1] })
      assertSameSet(ids(subscription.events), [stored.id])
      const later = await sign({ content: 'later' })
      assertAccepted(await publish(writer, await sign({ kind: 7, content: 'another kind' })))
      assertAccepted(await publish(writer, await author().sign({ content: 'another author' })))
      assertAccepted(await publish(writer, later))
      await until(() => subscription.events.length >= 2, 'the later event')
      assertSameEvent(subscription.events[1], later)

      subscription.close()
      await pause(SILENCE_MS)
      assertAccepted(await publish(writer, await sign({ content: 'after CLOSE' })))
      await pause(SILENCE_MS)
      assertSameSet(ids(subscription.events), [stored.id, later.id])
    })

    test('limit 0 asks for later events only', async t => {
      const [reader, writer] = [await connect(t), await connect(t)]
      const { sign, pubkey } = author()
      assertAccepted(await publish(writer, await sign({ content: 'stored' })))
      const subscription = await listenLive(reader, { authors: [pubkey], limit: 0 })
      assert.deepEqual(subscription.events, [])
      const later = await sign({ content: 'later' })
      assertAccepted(await publish(writer, later))
      await until(() => subscription.events.length > 0, 'the later event')
      assertSameSet(ids(subscription.events), [later.id])
    })

    test('COUNT counts what REQ would serve', async t => {
      const { relay, alice, bob, topic } = await library(t)
      assert.equal(await count(relay, { authors: [alice.pubkey] }), 10)
      assert.equal(await count(relay, { authors: [alice.pubkey, bob.pubkey], kinds: [1] }), 20)
      assert.equal(await count(relay, { authors: [bob.pubkey], kinds: [7] }), 5)
      assert.equal(await count(relay, { '#t': [topic] }), 5)
      assert.equal(await count(relay, { '#p': [alice.pubkey], since: BASE + 502 }), 3)
      assert.equal(await count(relay, { authors: [author().pubkey] }), 0)

      const { sign, pubkey } = author()
      for (const age of [30, 20, 10]) assertAccepted(await publish(relay, await sign({ kind: 0, created_at: now() - age })))
      assert.equal(await count(relay, { authors: [pubkey] }), 1)
    })

    test('the information document says what the relay is and allows', async t => {
      assertInformation(await information(t))
    })
  })
}
