// Without a client library: what malformed and unusual frames are answered with (NIP-01, 77).

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { finalizeEvent, generateSecretKey } from 'nostr-tools/pure'
import { connect, subscriptionId } from './client.mjs'
import { SILENCE_MS, freshKind, now, pause, reasonNotToReconcile } from '../suites/relay.mjs'

const skip = await reasonNotToReconcile()

describe('wire', () => {
  test('what is no message is answered, and the connection goes on', async t => {
    const relay = await connect(t)
    for (const nonsense of ['', 'hello', '{}', '[]', '[1]', '["REQ"]', '["EVENT",{}]', '["NOPE","x"]', '["EVENT",[]]', '["CLOSE"]']) {
      relay.send(nonsense)
      const answer = await relay.ask('REQ', subscriptionId(), { kinds: [freshKind()] })
      assert.equal(answer[0], 'EOSE', `after ${nonsense}`)
    }
    assert.ok(relay.frames.some(([type]) => type === 'NOTICE'), 'a NOTICE for any of them')
    assert.equal(relay.closed, undefined)
  })

  test('a filter that cannot be read is CLOSED with a reason', async t => {
    const relay = await connect(t)
    for (const filter of [{ ids: ['abc'] }, { authors: [1] }, { kinds: ['1'] }, { since: '1' }, { limit: -1 }, { '#e': 'x' }, 'x']) {
      const answer = await relay.ask('REQ', subscriptionId(), filter)
      assert.equal(answer[0], 'CLOSED', `${JSON.stringify(filter)} → ${JSON.stringify(answer)}`)
      assert.match(answer[2], /^(invalid|error|unsupported): ./)
    }
  })

  test('what had its OK before a REQ with limit 0 is not delivered as later', async t => {
    const [reader, writer] = [await connect(t), await connect(t)]
    const late = []
    for (let round = 0; round < 150; round++) {
      const key = generateSecretKey()
      const event = finalizeEvent({ kind: 1, content: `${round}`, tags: [], created_at: now() }, key)
      const [, , accepted, reason] = await writer.answer(event.id, 'OK', ['EVENT', event])
      assert.ok(accepted, reason)
      const id = subscriptionId()
      reader.send(['REQ', id, { authors: [event.pubkey], limit: 0 }])
      late.push(id)
      if (late.length > 10) reader.send(['CLOSE', late.at(-10)])
    }
    await pause(SILENCE_MS)
    const delivered = reader.frames.filter(([type]) => type === 'EVENT').length
    assert.equal(delivered, 0, `${delivered} of ${late.length} delivered after EOSE`)
  })

  test('an unknown version of negentropy is answered by 61', { skip }, async t => {
    const relay = await connect(t)
    const id = subscriptionId()
    assert.deepEqual(await relay.ask('NEG-OPEN', id, { kinds: [freshKind()] }, '62'), ['NEG-MSG', id, '61'])
  })

  test('a negentropy message that cannot be read is NEG-ERR with the subscription id', { skip }, async t => {
    const relay = await connect(t)
    for (const nonsense of ['', '6', 'zz', '61ff', '610000', '61000009', '61000002fffffffff0', '6100000201aa']) {
      const [type, , reason] = await relay.ask('NEG-OPEN', subscriptionId(), { kinds: [freshKind()] }, nonsense)
      assert.equal(type, 'NEG-ERR', `"${nonsense}" → ${type} ${reason}`)
      assert.match(reason, /^[a-z-]+: ./)
    }
  })

  test('NEG-OPEN takes a filter and an array of one filter', { skip }, async t => {
    const relay = await connect(t)
    const filter = { kinds: [freshKind()] }
    for (const given of [filter, [filter]]) {
      const [type] = await relay.ask('NEG-OPEN', subscriptionId(), given, '6100000200')
      assert.equal(type, 'NEG-MSG')
    }
  })

  test('NEG-MSG without a session is NEG-ERR, and NEG-CLOSE ends a session', { skip }, async t => {
    const relay = await connect(t)
    const id = subscriptionId()
    const [before] = await relay.ask('NEG-MSG', id, '6100000200')
    assert.equal(before, 'NEG-ERR')
    const [opened] = await relay.ask('NEG-OPEN', id, { kinds: [freshKind()] }, '6100000200')
    assert.equal(opened, 'NEG-MSG')
    relay.send(['NEG-CLOSE', id])
    const [after] = await relay.ask('NEG-MSG', id, '6100000200')
    assert.equal(after, 'NEG-ERR')
  })

  test('NEG-OPEN with the id of an open session begins a new one', { skip }, async t => {
    const relay = await connect(t)
    const id = subscriptionId()
    for (const _ of [1, 2]) {
      const [type] = await relay.ask('NEG-OPEN', id, { kinds: [freshKind()] }, '6100000200')
      assert.equal(type, 'NEG-MSG')
    }
  })
})
