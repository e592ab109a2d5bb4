// The npm packages @nostr-dev-kit/ndk and @nostr-dev-kit/sync as the suites use them. Connections close when their
// test ends, every wait has an end.

import assert from 'node:assert/strict'
import NDK, { NDKEvent, NDKPrivateKeySigner, NDKRelaySet, NDKSubscriptionCacheUsage } from '@nostr-dev-kit/ndk'
import { NDKSync } from '@nostr-dev-kit/sync'
import WebSocket from 'ws'
import { PATIENCE_MS, RELAY_URL, now, until, within } from '../suites/relay.mjs'

// NDK reads the global when it connects.
globalThis.WebSocket = WebSocket

export const name = 'NDK'

/** The library keeps one handler of NEG-MSG for a relay. */
export const oneSessionAtATime = true

/** A new key pair; `sign` makes a signed event of a draft. */
export function author() {
  const signer = NDKPrivateKeySigner.generate()
  return {
    signer,
    pubkey: signer.pubkey,
    sign: async ({ kind = 1, content = '', tags = [], created_at = now() }) => {
      const event = new NDKEvent(undefined, { kind, content, tags, created_at, pubkey: signer.pubkey })
      await event.sign(signer)
      return event.rawEvent()
    },
  }
}

export const hasItsHashForId = event => new NDKEvent(undefined, { ...event, id: undefined }).getEventHash() === event.id

export async function information(t) {
  const { relay } = await connect(t)
  return relay.fetchInfo(true)
}

/** Connects for the length of test `t`, without a policy for AUTH unless `options` has one. */
export async function connect(t, options = {}) {
  const connection = { onok: new Map(), closed: new Map(), challenge: undefined, cache: memoryCache(), invalid: [] }
  const ndk = new NDK({
    explicitRelayUrls: [RELAY_URL],
    enableOutboxModel: false,
    autoConnectUserRelays: false,
    initialValidationRatio: 1,
    lowestValidationRatio: 1,
    cacheAdapter: connection.cache,
    netDebug: (frame, _relay, direction) => direction === 'recv' && note(connection, JSON.parse(frame), t),
    ...options,
  })
  ndk.on('event:invalid-sig', event => connection.invalid.push(event.id))
  await ndk.connect(PATIENCE_MS)
  const [relay] = ndk.pool.relays.values()
  await until(() => relay.connected, 'the connection')
  t.after(() => relay.disconnect())
  return Object.assign(connection, { ndk, relay, relaySet: new NDKRelaySet(new Set([relay]), ndk) })
}

/** Keeps what the library does not pass on: the text of OK true, CLOSED of a COUNT. */
function note(connection, message, t) {
  switch (message[0]) {
    case 'OK': return connection.onok.get(message[1])?.({ accepted: message[2], reason: message[3] })
    case 'CLOSED': return connection.closed.set(message[1], message[2])
    case 'AUTH': return (connection.challenge = message[1])
    case 'NOTICE': return t.diagnostic(`NOTICE ${message[1]}`)
  }
}

/** The relay's OK, and that the library took it for the same. No OK in time is an error. */
export async function publish(connection, event) {
  const { ndk, relay, onok } = connection
  const answer = new Promise(resolve => onok.set(event.id, resolve))
  const outcome = relay.publish(new NDKEvent(ndk, event), PATIENCE_MS * 3).then(() => true, () => false)
  const ok = await within(answer, `OK for ${event.id} (kind ${event.kind})`, PATIENCE_MS * 3)
  // After `auth-required:` the library keeps the event until the client authenticates, and says nothing.
  if (!ok.reason.startsWith('auth-required:')) assert.equal(await outcome, ok.accepted, 'what NDK made of OK')
  return ok
}

const SUBSCRIBE = { groupable: false, cacheUsage: NDKSubscriptionCacheUsage.ONLY_RELAY, dontSaveToCache: true }

/** Opens a subscription that stays open; `events` grows, `closed` is the reason of a CLOSED. */
export function listen(connection, ...filters) {
  const { ndk, relaySet } = connection
  const subscription = { events: [], eose: false, closed: undefined }
  const opened = ndk.subscribe(filters, {
    ...SUBSCRIBE,
    relaySet,
    onEvent: event => subscription.events.push(event.rawEvent()),
    onEose: () => (subscription.eose = true),
  })
  opened.on('closed', (_relay, reason) => (subscription.closed = reason))
  subscription.close = () => opened.stop()
  return subscription
}

export async function listenLive(connection, ...filters) {
  const subscription = listen(connection, ...filters)
  await until(() => subscription.eose, 'EOSE')
  return subscription
}

/** Stored events that match, in the order they came; a CLOSED instead of EOSE shows in `closed`. */
export async function ask(connection, ...filters) {
  const subscription = listen(connection, ...filters)
  await until(() => subscription.eose || subscription.closed !== undefined, `EOSE for ${JSON.stringify(filters).slice(0, 200)}`)
  subscription.close()
  if (connection.invalid.length > 0) throw new Error(`served an event that does not verify: ${connection.invalid}`)
  return subscription
}

export async function askEvents(connection, ...filters) {
  const { events, closed } = await ask(connection, ...filters)
  if (closed !== undefined) throw new Error(`CLOSED "${closed}" for ${JSON.stringify(filters).slice(0, 200)}`)
  return events
}

let counts = 0

/** COUNT; a CLOSED is an error with its reason. */
export async function count({ ndk, relaySet, closed }, ...filters) {
  const id = `count-${counts++}`
  const answer = ndk.count(filters, { id, timeout: PATIENCE_MS }, relaySet)
  const refusal = until(() => closed.get(id), 'CLOSED').then(reason => Promise.reject(new Error(reason)))
  refusal.catch(() => {})
  const { count, relayResults } = await Promise.race([answer, refusal])
  if (relayResults.size === 0) throw new Error('no answer to COUNT')
  return count
}

export const challenge = connection => connection.challenge

/** Answers the challenge that was offered on connect. */
export async function authenticate(connection, { sign }) {
  const { ndk, relay } = connection
  const challenge = await until(() => connection.challenge, 'AUTH with a challenge')
  const event = await sign({ kind: 22242, tags: [['relay', relay.url], ['challenge', challenge]] })
  try {
    return { accepted: true, reason: await within(relay.connectivity.auth(new NDKEvent(ndk, event)), 'OK for AUTH') }
  } catch (error) {
    return { accepted: false, reason: error.message }
  }
}

/** What the library knows before it asks a relay; NDKSync reconciles this set. */
function memoryCache() {
  const events = new Map()
  return {
    events,
    locking: true,
    ready: true,
    query: () => [...events.values()],
    setEvent: async event => void events.set(event.id, event),
  }
}

/** Reconciles `local` (events or `{ id, created_at }`) with the relay: ids we alone `have`, ids we `need`. */
export async function reconcile(connection, filter, local, { autoFetch = false } = {}) {
  const { ndk, relaySet, cache } = connection
  cache.events.clear()
  for (const event of local) cache.events.set(event.id, new NDKEvent(ndk, { kind: 1, content: '', tags: [], ...event }))

  let failure
  let rounds = 0
  const { have, need, events } = await new NDKSync(ndk).sync(filter, {
    relaySet,
    autoFetch,
    timeout: PATIENCE_MS,
    onRelayError: (_relay, error) => (failure = error),
    onNegotiationProgress: (_relay, { round }) => (rounds = Math.max(rounds, round)),
  })
  if (failure) throw failure
  return { have: [...have], need: [...need], rounds, fetched: events.map(event => event.rawEvent()) }
}
