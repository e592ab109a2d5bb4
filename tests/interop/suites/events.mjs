// Which events the relay takes, which it keeps, which it refuses (NIP-01, 40).

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { assertAccepted, assertRefused, assertSameEvent, assertSameSet, ids, now, until } from './relay.mjs'

/** Runs with the library behind `client`: see nostr-tools/client.mjs and ndk/client.mjs. */
export function events(client) {
  const { ask, askEvents, author, connect, listenLive, publish } = client

  describe(`${client.name}: events`, () => {
    for (const kind of [0, 1, 3, 6, 7, 42, 1111, 1984, 9735, 10002, 30023]) {
      test(`kind ${kind} is accepted and served as it was published`, async t => {
        const relay = await connect(t)
        const event = await author().sign({
          kind,
          content: 'ünïcode "quoted" \\ \n\t\u0001 🦉 </script> \u2028',
          tags: [['d', 'name'], ['p', author().pubkey], ['t', 'interop'], ['empty', ''], ['single']],
        })
        assertAccepted(await publish(relay, event))
        const [served, ...more] = await askEvents(relay, { ids: [event.id] })
        assertSameEvent(served, event)
        assert.equal(more.length, 0)
      })
    }

    test('an event published twice is a duplicate', async t => {
      const relay = await connect(t)
      const event = await author().sign({ content: 'twice' })
      assertAccepted(await publish(relay, event))
      const second = await publish(relay, event)
      assertAccepted(second)
      assert.match(second.reason, /^duplicate:/)
    })

    test('a newer profile takes the place of the older', async t => {
      const relay = await connect(t)
      const { sign, pubkey } = author()
      const older = await sign({ kind: 0, content: '{"name":"older"}', created_at: now() - 10 })
      const newer = await sign({ kind: 0, content: '{"name":"newer"}', created_at: now() - 5 })
      assertAccepted(await publish(relay, older))
      assertAccepted(await publish(relay, newer))
      assertSameSet(ids(await askEvents(relay, { authors: [pubkey], kinds: [0] })), [newer.id])
      assert.deepEqual(await askEvents(relay, { ids: [older.id] }), [])
    })

    test('an older profile that comes late is not served', async t => {
      const relay = await connect(t)
      const { sign, pubkey } = author()
      const newer = await sign({ kind: 0, content: '{"name":"newer"}', created_at: now() - 5 })
      const older = await sign({ kind: 0, content: '{"name":"older"}', created_at: now() - 10 })
      assertAccepted(await publish(relay, newer))
      await publish(relay, older)
      assertSameSet(ids(await askEvents(relay, { authors: [pubkey], kinds: [0] })), [newer.id])
      assert.deepEqual(await askEvents(relay, { ids: [older.id] }), [])
    })

    for (const first of ['lower', 'higher']) {
      test(`of two profiles of one second the lower id is kept, ${first} id first`, async t => {
        const relay = await connect(t)
        const { sign, pubkey } = author()
        const created_at = now() - 5
        const pair = [await sign({ kind: 0, content: 'a', created_at }), await sign({ kind: 0, content: 'b', created_at })]
        const [lower, higher] = pair.toSorted((a, b) => (a.id < b.id ? -1 : 1))
        for (const event of first === 'lower' ? [lower, higher] : [higher, lower]) await publish(relay, event)
        assertSameSet(ids(await askEvents(relay, { authors: [pubkey], kinds: [0] })), [lower.id])
      })
    }

    test('an article is replaced by its d tag alone', async t => {
      const relay = await connect(t)
      const { sign, pubkey } = author()
      const article = (d, content, created_at) => sign({ kind: 30023, content, created_at, tags: [['d', d]] })
      const first = await article('one', 'draft', now() - 10)
      const second = await article('one', 'final', now() - 5)
      const other = await article('two', 'other', now() - 20)
      for (const event of [first, second, other]) assertAccepted(await publish(relay, event))
      assertSameSet(ids(await askEvents(relay, { authors: [pubkey], kinds: [30023] })), [second.id, other.id])
      assertSameSet(ids(await askEvents(relay, { authors: [pubkey], kinds: [30023], '#d': ['one'] })), [second.id])
    })

    test('a signature that does not verify is invalid', async t => {
      const relay = await connect(t)
      const { sign } = author()
      const [event, another] = [await sign({ content: 'signed' }), await sign({ content: 'another' })]
      assertRefused(await publish(relay, { ...event, sig: another.sig }), 'invalid')
      assert.deepEqual(await askEvents(relay, { ids: [event.id] }), [])
    })

    test('an id that is not the hash of the event is invalid', async t => {
      const relay = await connect(t)
      const event = await author().sign({ content: 'original' })
      assertRefused(await publish(relay, { ...event, content: 'altered' }), 'invalid')
      assert.deepEqual(await askEvents(relay, { ids: [event.id] }), [])
    })

    test('an event that has expired is refused', async t => {
      const relay = await connect(t)
      const event = await author().sign({ tags: [['expiration', String(now() - 60)]], created_at: now() - 120 })
      assertRefused(await publish(relay, event), 'invalid', 'blocked', 'error')
      assert.deepEqual(await askEvents(relay, { ids: [event.id] }), [])
    })

    test('an event is served until it expires', async t => {
      const relay = await connect(t)
      const expiration = now() + 3
      const event = await author().sign({ tags: [['expiration', String(expiration)]] })
      assertAccepted(await publish(relay, event))
      assertSameSet(ids(await askEvents(relay, { ids: [event.id] })), [event.id])
      await until(() => now() > expiration, 'the expiration')
      assert.deepEqual(await askEvents(relay, { ids: [event.id] }), [])
    })

    test('an event from tomorrow is invalid', async t => {
      const relay = await connect(t)
      assertRefused(await publish(relay, await author().sign({ created_at: now() + 86_400 })), 'invalid')
    })

    test('an ephemeral event is delivered live and not stored', async t => {
      const [reader, writer] = [await connect(t), await connect(t)]
      const { sign, pubkey } = author()
      const subscription = await listenLive(reader, { authors: [pubkey], kinds: [20001] })
      const event = await sign({ kind: 20001, content: 'now or never' })
      assertAccepted(await publish(writer, event))
      await until(() => subscription.events.length > 0, 'the ephemeral event')
      assertSameEvent(subscription.events[0], event)
      assert.deepEqual((await ask(await connect(t), { ids: [event.id] })).events, [])
    })

    test('2000 events sent at once on one connection each get their OK', async t => {
      const relay = await connect(t)
      const { sign } = author()
      const base = now() - 5000
      const burst = await Promise.all(Array.from({ length: 2000 }, (_, i) => sign({ content: `burst ${i}`, created_at: base + i })))
      const oks = await Promise.all(burst.map(event => publish(relay, event).catch(error => ({ lost: error.message }))))
      const lost = oks.filter(ok => ok.lost)
      assert.equal(lost.length, 0, `events without OK: ${lost.length}, the first: ${lost[0]?.lost}`)
      for (const ok of oks) assertAccepted(ok)

      const stored = []
      for (let i = 0; i < burst.length; i += 100) stored.push(...(await askEvents(relay, { ids: ids(burst.slice(i, i + 100)) })))
      assertSameSet(ids(stored), ids(burst))
    })
  })
}
