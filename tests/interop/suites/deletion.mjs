// Deletion requests (NIP-09).

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertAccepted, assertRefused, assertSameSet, ids, now } from './relay.mjs'

/** Runs with the library behind `client`: see nostr-tools/client.mjs and ndk/client.mjs. */
export function deletion(client) {
  const { askEvents, author, connect, count, publish } = client

  describe(`${client.name}: deletion`, () => {
    test('a deleted note is gone and refused when it comes again', async t => {
      const relay = await connect(t)
      const { sign, pubkey } = author()
      const [doomed, kept] = [await sign({ content: 'doomed' }), await sign({ content: 'kept' })]
      for (const event of [doomed, kept]) assertAccepted(await publish(relay, event))

      const request = await sign({ kind: 5, tags: [['e', doomed.id], ['k', '1']] })
      assertAccepted(await publish(relay, request))
      assert.deepEqual(await askEvents(relay, { ids: [doomed.id] }), [])
      assertSameSet(ids(await askEvents(relay, { authors: [pubkey] })), [kept.id, request.id])
      assert.equal(await count(relay, { authors: [pubkey], kinds: [1] }), 1)

      assertRefused(await publish(relay, doomed), 'blocked', 'deleted', 'invalid')
      assert.deepEqual(await askEvents(relay, { ids: [doomed.id] }), [])
    })

    test('a note that comes after its deletion request is refused', async t => {
      const relay = await connect(t)
      const { sign } = author()
      const doomed = await sign({ content: 'late' })
      assertAccepted(await publish(relay, await sign({ kind: 5, tags: [['e', doomed.id]] })))
      assertRefused(await publish(relay, doomed), 'blocked', 'deleted', 'invalid')
      assert.deepEqual(await askEvents(relay, { ids: [doomed.id] }), [])
    })

    test('a request by another author changes nothing', async t => {
      const relay = await connect(t)
      const note = await author().sign({ content: 'mine' })
      assertAccepted(await publish(relay, note))
      await publish(relay, await author().sign({ kind: 5, tags: [['e', note.id]] }))
      assertSameSet(ids(await askEvents(relay, { ids: [note.id] })), [note.id])
    })

    test('a request by address deletes the versions up to its own time', async t => {
      const relay = await connect(t)
      const { sign, pubkey } = author()
      const article = (content, created_at) => sign({ kind: 30023, content, created_at, tags: [['d', 'news']] })
      const [old, later] = [await article('old', now() - 30), await article('later', now() - 10)]
      const request = await sign({ kind: 5, created_at: now() - 20, tags: [['a', `30023:${pubkey}:news`]] })
      assertAccepted(await publish(relay, old))
      assertAccepted(await publish(relay, request))
      assert.deepEqual(await askEvents(relay, { authors: [pubkey], kinds: [30023] }), [])
      assertRefused(await publish(relay, old), 'blocked', 'deleted', 'invalid')

      assertAccepted(await publish(relay, later))
      assertSameSet(ids(await askEvents(relay, { authors: [pubkey], kinds: [30023] })), [later.id])
    })
  })
}
