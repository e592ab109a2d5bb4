import { describe, test } from 'node:test'
import { NDKSync } from '@nostr-dev-kit/sync'
import * as client from './client.mjs'
import { sync } from '../suites/sync.mjs'
import { assertAccepted, assertSameEvent, assertSameSet, freshKind, ids, reasonNotToReconcile, until } from '../suites/relay.mjs'

sync(client)

const skip = await reasonNotToReconcile()

describe('NDK: its own ways to reconcile', () => {
  const { author, connect, publish, reconcile } = client

  async function store(connection, kind, length) {
    const { sign } = author()
    const events = await Promise.all(Array.from({ length }, (_, i) => sign({ kind, content: `${i}` })))
    for (const ok of await Promise.all(events.map(event => publish(connection, event)))) assertAccepted(ok)
    return events
  }

  test('NDKSync fetches all it needs in one REQ of 300 ids', { skip }, async t => {
    const connection = await connect(t)
    const kind = freshKind()
    const events = await store(connection, kind, 300)
    const { need, fetched } = await reconcile(connection, { kinds: [kind] }, [], { autoFetch: true })
    assertSameSet(need, ids(events))
    assertSameSet(ids(fetched), ids(events))
    const served = new Map(fetched.map(event => [event.id, event]))
    for (const event of events) assertSameEvent(served.get(event.id), event)
  })

  test('syncAndSubscribe brings stored events, then live ones', { skip }, async t => {
    const [reader, writer] = [await connect(t), await connect(t)]
    const kind = freshKind()
    const stored = await store(writer, kind, 20)
    const received = []
    let complete = false
    const subscription = await NDKSync.syncAndSubscribe(reader.ndk, { kinds: [kind] }, {
      relaySet: reader.relaySet,
      groupable: false,
      onEvent: event => received.push(event.id),
      onSyncComplete: () => (complete = true),
    })
    t.after(() => subscription.stop())
    await until(() => complete && received.length >= stored.length, 'the stored events')
    const later = await store(writer, kind, 3)
    await until(() => received.length >= stored.length + later.length, 'the later events')
    assertSameSet(received, ids([...stored, ...later]))
  })
})
