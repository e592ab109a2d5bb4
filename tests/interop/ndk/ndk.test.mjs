import { describe, test } from 'node:test'
import { NDKRelayAuthPolicies } from '@nostr-dev-kit/ndk'
import * as client from './client.mjs'
import { auth } from '../suites/auth.mjs'
import { deletion } from '../suites/deletion.mjs'
import { events } from '../suites/events.mjs'
import { queries } from '../suites/queries.mjs'
import { realEvents } from '../suites/real-events.mjs'
import { assertAccepted, assertSameSet, ids, until } from '../suites/relay.mjs'

for (const suite of [events, queries, deletion, auth, realEvents]) suite(client)

describe('NDK: its own ways', () => {
  const { askEvents, author, connect, publish } = client

  test('the policy signIn answers the challenge on connect', async t => {
    const [sender, recipient] = [author(), author()]
    const message = await sender.sign({ kind: 4, content: 'c2VjcmV0?iv=c2VjcmV0', tags: [['p', recipient.pubkey]] })
    assertAccepted(await publish(await connect(t), message))

    let authed = false
    const policy = NDKRelayAuthPolicies.signIn({ signer: recipient.signer })
    const connection = await connect(t, { relayAuthDefaultPolicy: async (relay, challenge) => {
      relay.once('authed', () => (authed = true))
      return policy(relay, challenge)
    } })
    await until(() => authed, 'the policy to authenticate')
    assertSameSet(ids(await askEvents(connection, { kinds: [4], '#p': [recipient.pubkey] })), [message.id])
  })

  test('fetchEvents collects what matches', async t => {
    const connection = await connect(t)
    const { sign, pubkey } = author()
    const notes = await Promise.all(Array.from({ length: 30 }, (_, i) => sign({ content: `${i}` })))
    for (const note of notes) assertAccepted(await publish(connection, note))
    const fetched = await connection.ndk.fetchEvents({ authors: [pubkey] }, { cacheUsage: 'ONLY_RELAY' })
    assertSameSet(ids([...fetched]), ids(notes))
  })
})
