// 713 events that real clients signed (shared/data/real-events.jsonl) go in and come out unchanged.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { existsSync, readFileSync } from 'node:fs'
import { assertSameEvent, assertSameSet, ids, inSlices } from './relay.mjs'

const path = process.env.INTEROP_DATA ?? ''
const skip = existsSync(path) ? false : `no real events at "${path}"`
const load = () => readFileSync(path, 'utf8').split('\n').filter(line => line.trim()).map(line => JSON.parse(line))

const isReplaceable = ({ kind }) => kind === 0 || kind === 3 || (kind >= 10_000 && kind < 20_000)

/** The ids a relay serves once it got all of `events`: of replaceable ones the newest, of equal age the lowest id. */
function keptIds(events) {
  const newest = new Map()
  for (const event of events) {
    const place = isReplaceable(event) ? `${event.kind}:${event.pubkey}` : event.id
    const kept = newest.get(place)
    const wins = !kept || event.created_at > kept.created_at || (event.created_at === kept.created_at && event.id < kept.id)
    if (wins) newest.set(place, event)
  }
  return new Set([...newest.values()].map(event => event.id))
}

/** Runs with the library behind `client`: see nostr-tools/client.mjs and ndk/client.mjs. */
export function realEvents(client) {
  const { askEvents, connect, count, hasItsHashForId, publish } = client

  describe(`${client.name}: real events`, () => {
    test('every event is accepted, or refused because a newer version is stored', { skip }, async t => {
      const relay = await connect(t)
      const events = load()
      const kept = keptIds(events)
      const oks = await Promise.all(events.map(async event => ({ event, ...(await publish(relay, event)) })))

      const refused = oks.filter(ok => !ok.accepted)
      t.diagnostic(`${events.length} sent, ${oks.length - refused.length} OK true, ${refused.length} OK false as superseded`)
      for (const { event, reason } of refused) {
        assert.ok(!kept.has(event.id), `${event.id} (kind ${event.kind}) refused with "${reason}"`)
        assert.match(reason, /^[a-z-]+: ./)
      }
    })

    test('every event is served with the id that its content hashes to', { skip }, async t => {
      const relay = await connect(t)
      const events = load()
      const kept = keptIds(events)
      const served = new Map()
      for (const slice of inSlices(events)) {
        for (const event of await askEvents(relay, { ids: ids(slice) })) served.set(event.id, event)
      }
      t.diagnostic(`${served.size} served, ${events.length - kept.size} superseded not`)
      assertSameSet(served.keys(), kept)
      for (const event of events.filter(({ id }) => kept.has(id))) {
        assertSameEvent(served.get(event.id), event)
        assert.ok(hasItsHashForId(served.get(event.id)), event.id)
      }
    })

    test('COUNT agrees with what is served', { skip }, async t => {
      const relay = await connect(t)
      const events = load()
      let counted = 0
      for (const slice of inSlices(events)) counted += await count(relay, { ids: ids(slice) })
      assert.equal(counted, keptIds(events).size)
    })
  })
}
