// Reconciliation (NIP-77): what one side lacks, found by the library's own engine and moved, both ways.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { assertAccepted, assertSameSet, freshKind, ids, inSlices, now, reasonNotToReconcile, until } from './relay.mjs'
import { connect as connectWire } from '../wire/client.mjs'

const skip = await reasonNotToReconcile()
const BASE = now() - 50_000

function assertDone({ have, need, rounds }) {
  assert.deepEqual({ have, need }, { have: [], need: [] })
  assert.equal(rounds, 1, 'rounds for equal sets')
}

/** Runs with the library behind `client`: see nostr-tools/client.mjs and ndk/client.mjs. */
export function sync(client) {
  const { askEvents, authenticate, author, connect, count, listen, publish, reconcile } = client

  async function publishAll(relay, events) {
    for (const ok of await Promise.all(events.map(event => publish(relay, event)))) assertAccepted(ok)
  }

  const notes = ({ sign }, kind, length, tags = []) =>
    Promise.all(Array.from({ length }, (_, i) => sign({ kind, content: `${i}`, created_at: BASE + i, tags })))

  async function fetchAll(relay, wanted) {
    const fetched = []
    for (const slice of inSlices(wanted)) fetched.push(...(await askEvents(relay, { ids: slice })))
    return fetched
  }

  describe(`${client.name}: reconciliation`, () => {
    test('down: an empty client learns of every event and fetches it', { skip }, async t => {
      const relay = await connect(t)
      const kind = freshKind()
      const stored = await notes(author(), kind, 150)
      await publishAll(relay, stored)
      const { have, need } = await reconcile(relay, { kinds: [kind] }, [])
      assert.deepEqual(have, [])
      assertSameSet(need, ids(stored))

      const fetched = await fetchAll(relay, need)
      assertSameSet(ids(fetched), ids(stored))
      assertDone(await reconcile(relay, { kinds: [kind] }, fetched))
    })

    test('up: an empty relay is told of every event and gets it', { skip }, async t => {
      const relay = await connect(t)
      const kind = freshKind()
      const local = await notes(author(), kind, 150)
      const { have, need } = await reconcile(relay, { kinds: [kind] }, local)
      assert.deepEqual(need, [])
      assertSameSet(have, ids(local))

      const missing = new Set(have)
      await publishAll(relay, local.filter(({ id }) => missing.has(id)))
      assertSameSet(ids(await fetchAll(relay, ids(local))), ids(local))
      assertDone(await reconcile(relay, { kinds: [kind] }, local))
    })

    test('both: two sets that overlap become one', { skip }, async t => {
      const relay = await connect(t)
      const kind = freshKind()
      const all = await notes(author(), kind, 300)
      const stored = all.filter((_, i) => i % 3 !== 0)
      const local = all.filter((_, i) => i % 3 !== 1)
      await publishAll(relay, stored)

      const { have, need } = await reconcile(relay, { kinds: [kind] }, local)
      assertSameSet(have, ids(all.filter((_, i) => i % 3 === 0)))
      assertSameSet(need, ids(all.filter((_, i) => i % 3 === 1)))

      const missing = new Set(have)
      await publishAll(relay, local.filter(({ id }) => missing.has(id)))
      const merged = [...local, ...(await fetchAll(relay, need))]
      assertSameSet(ids(merged), ids(all))
      assertSameSet(ids(await fetchAll(relay, ids(all))), ids(all))
      assertDone(await reconcile(relay, { kinds: [kind] }, merged))
    })

    test('every sort of filter names the set that REQ serves', { skip }, async t => {
      const relay = await connect(t)
      const [first, second] = [freshKind(), freshKind()]
      const [alice, bob] = [author(), author()]
      const stored = [
        ...(await notes(alice, first, 60, [['t', 'red']])),
        ...(await notes(alice, second, 60)),
        ...(await notes(bob, first, 60, [['t', 'blue']])),
      ]
      await publishAll(relay, stored)
      const time = { since: BASE + 10, until: BASE + 39 }
      const cases = [
        [{ kinds: [first] }, 120],
        [{ kinds: [first, second] }, 180],
        [{ kinds: [first, second], ...time }, 90],
        [{ authors: [alice.pubkey] }, 120],
        [{ authors: [alice.pubkey, bob.pubkey], kinds: [first], ...time }, 60],
        [{ kinds: [first], '#t': ['red'] }, 60],
        [{ ids: ids(stored.slice(50, 70)) }, 20],
        [{ kinds: [freshKind()] }, 0],
      ]
      for (const [filter, size] of cases) {
        await t.test(JSON.stringify(filter).replace(/[0-9a-f]{64}/g, '…').slice(0, 60), async () => {
          const served = ids(await askEvents(relay, { ...filter, limit: 200 }))
          assert.equal(served.length, size)
          const { have, need } = await reconcile(relay, filter, [])
          assert.deepEqual(have, [])
          assertSameSet(need, served)
        })
      }
    })

    test('the filter {} names all that REQ serves', { skip }, async t => {
      const relay = await connect(t)
      const total = await count(relay, {})
      if (total > 20_000) return t.skip(`${total} events are stored`)
      await publishAll(relay, await notes(author(), freshKind(), 20))
      const served = ids(await (await connectWire(t)).events({}))
      const { need } = await reconcile(relay, {}, [])
      t.diagnostic(`${served.length} events`)
      assertSameSet(need, served)
    })

    test('large sets cross many frames without losing an item', { skip }, async t => {
      const relay = await connect(t)
      const kind = freshKind()
      const stored = await notes(author(), kind, 1500)
      await publishAll(relay, stored)

      const shared = stored.filter((_, i) => i % 10 === 0)
      const strange = Array.from({ length: 4000 }, (_, i) => ({ id: randomBytes(32).toString('hex'), created_at: BASE + (i % 1700) }))
      const { have, need, rounds } = await reconcile(relay, { kinds: [kind] }, [...shared, ...strange])
      t.diagnostic(`${rounds} rounds`)
      assertSameSet(have, ids(strange))
      assertSameSet(need, ids(stored.filter((_, i) => i % 10 !== 0)))
    })

    test('what REQ does not serve is not offered: replaced, deleted, expired', { skip }, async t => {
      const relay = await connect(t)
      const { sign, pubkey } = author()
      const profile = age => sign({ kind: 0, content: `${age}`, created_at: now() - age })
      const [older, newer] = [await profile(20), await profile(10)]
      const [doomed, kept] = [await sign({ content: 'doomed' }), await sign({ content: 'kept' })]
      const expiration = now() + 2
      const fading = await sign({ content: 'fading', tags: [['expiration', String(expiration)]] })
      const request = await sign({ kind: 5, tags: [['e', doomed.id]] })
      for (const event of [older, newer, doomed, kept, fading, request]) await publishAll(relay, [event])
      await until(() => now() > expiration, 'the expiration')
      const { need } = await reconcile(relay, { authors: [pubkey] }, [])
      assertSameSet(need, ids([newer, kept, request]))
    })

    test('a direct message is offered to its parties alone', { skip }, async t => {
      const [sender, recipient] = [author(), author()]
      const [open, mine] = [await connect(t), await connect(t)]
      const tags = [['p', recipient.pubkey]]
      const note = await sender.sign({ content: 'public', tags })
      const message = await sender.sign({ kind: 4, content: 'c2VjcmV0?iv=c2VjcmV0', tags })
      await publishAll(open, [note, message])
      assertAccepted(await authenticate(mine, recipient), 'AUTH')

      assertSameSet((await reconcile(mine, { '#p': [recipient.pubkey] }, [])).need, ids([note, message]))
      assertSameSet((await reconcile(open, { '#p': [recipient.pubkey] }, [])).need, [note.id])
      for (const filter of [{ authors: [sender.pubkey] }, { since: message.created_at - 1 }, { kinds: [1, 4] }, { kinds: [4] }]) {
        const { need } = await reconcile(open, filter, []).catch(error => {
          assert.match(error.message, /auth-required|restricted/)
          return { need: [] }
        })
        assert.ok(!need.includes(message.id), JSON.stringify(filter))
      }
    })

    test('several sessions beside a subscription on one connection', { skip }, async t => {
      const relay = await connect(t)
      const kinds = [freshKind(), freshKind(), freshKind()]
      const sets = await Promise.all(kinds.map(kind => notes(author(), kind, 60)))
      await publishAll(relay, sets.flat())
      const subscription = listen(relay, { kinds })
      // NDK may keep what a subscription brings in the cache it reconciles: there all has to be in before.
      if (client.oneSessionAtATime) await until(() => subscription.eose, 'EOSE')
      const sessions = client.oneSessionAtATime
        ? [await reconcile(relay, { kinds: [kinds[0]] }, []), await reconcile(relay, { kinds: [kinds[1]] }, [])]
        : await Promise.all(kinds.map(kind => reconcile(relay, { kinds: [kind] }, [])))
      sessions.forEach(({ need }, i) => assertSameSet(need, ids(sets[i])))
      await until(() => subscription.eose, 'EOSE')
    })
  })
}
