// The npm package nostr-tools as the suites use it. Connections close when their test ends, every wait has an end.

import WebSocket from 'ws'
import { nip77 } from 'nostr-tools'
import { fetchRelayInformation } from 'nostr-tools/nip11'
import { finalizeEvent, generateSecretKey, getEventHash, getPublicKey } from 'nostr-tools/pure'
import { Relay, useWebSocketImplementation } from 'nostr-tools/relay'
import { PATIENCE_MS, RELAY_URL, now, until, within } from '../suites/relay.mjs'

useWebSocketImplementation(WebSocket)

export const name = 'nostr-tools'

/** A new key pair; `sign` makes a signed event of a draft. */
export function author() {
  const secretKey = generateSecretKey()
  return {
    pubkey: getPublicKey(secretKey),
    sign: async ({ kind = 1, content = '', tags = [], created_at = now() }) =>
      finalizeEvent({ kind, content, tags, created_at }, secretKey),
  }
}

export const hasItsHashForId = event => getEventHash(event) === event.id

export const information = () => fetchRelayInformation(RELAY_URL)

/** Connects for the length of test `t`. */
export async function connect(t) {
  const relay = new Relay(RELAY_URL)
  relay.publishTimeout = PATIENCE_MS * 3
  relay.onnotice = text => t.diagnostic(`NOTICE ${text}`)
  await relay.connect({ timeout: PATIENCE_MS })
  t.after(() => relay.close())
  return relay
}

/** The relay's OK. No OK in time is an error. */
export async function publish(relay, event) {
  try {
    return { accepted: true, reason: await relay.publish(event) }
  } catch (error) {
    if (error.message === 'publish timed out') throw new Error(`no OK for ${event.id} (kind ${event.kind})`)
    return { accepted: false, reason: error.message }
  }
}

/** Opens a subscription that stays open; `events` grows, `closed` is the reason of a CLOSED. */
export function listen(relay, ...filters) {
  const subscription = { events: [], wrong: [], eose: false, closed: undefined }
  const opened = relay.subscribe(filters, {
    onevent: event => subscription.events.push(event),
    oninvalidevent: event => subscription.wrong.push(event),
    oneose: () => (subscription.eose = true),
    onclose: reason => (subscription.closed = reason),
    // The library pretends an EOSE after this time; a real one has to come much earlier.
    eoseTimeout: PATIENCE_MS * 2,
  })
  subscription.close = () => opened.close()
  return subscription
}

export async function listenLive(relay, ...filters) {
  const subscription = listen(relay, ...filters)
  await until(() => subscription.eose, 'EOSE')
  return subscription
}

/** Stored events that match, in the order they came; a CLOSED instead of EOSE shows in `closed`. */
export async function ask(relay, ...filters) {
  const subscription = listen(relay, ...filters)
  const { events, wrong } = subscription
  await until(() => subscription.eose || subscription.closed !== undefined, `EOSE for ${JSON.stringify(filters).slice(0, 200)}`)
  const { closed } = subscription
  if (closed === undefined) subscription.close()
  if (wrong.length > 0) throw new Error(`served an event that does not verify or match: ${JSON.stringify(wrong[0])}`)
  return { events, closed }
}

export async function askEvents(relay, ...filters) {
  const { events, closed } = await ask(relay, ...filters)
  if (closed !== undefined) throw new Error(`CLOSED "${closed}" for ${JSON.stringify(filters).slice(0, 200)}`)
  return events
}

/** COUNT; a CLOSED is an error with its reason. */
export const count = (relay, ...filters) => within(relay.count(filters, {}), 'COUNT')

export const challenge = relay => relay.challenge

/** Answers the challenge that was offered on connect. */
export async function authenticate(relay, { sign }) {
  await until(() => relay.challenge, 'AUTH with a challenge')
  try {
    return { accepted: true, reason: await within(relay.auth(sign), 'OK for AUTH') }
  } catch (error) {
    return { accepted: false, reason: error.message }
  }
}

/** Reconciles `local` (events or `{ id, created_at }`) with the relay: ids we alone `have`, ids we `need`. */
export async function reconcile(relay, filter, local) {
  const storage = new nip77.NegentropyStorageVector()
  for (const { id, created_at } of local) storage.insert(created_at, id)
  storage.seal()

  const difference = { have: [], need: [], rounds: 0 }
  const finished = new Promise((resolve, reject) => {
    const session = new nip77.NegentropySync(relay, storage, filter, {
      onhave: id => difference.have.push(id),
      onneed: id => difference.need.push(id),
      onclose: reason => (reason ? reject(new Error(reason)) : resolve()),
    })
    // The library drops the text of NEG-ERR, and takes one for the end of a sync that found nothing.
    const oncustom = session.subscription.oncustom
    session.subscription.oncustom = message => {
      if (message[0] === 'NEG-ERR') reject(new Error(`NEG-ERR "${message[2]}"`))
      difference.rounds += 1
      oncustom(message)
    }
    session.start()
  })
  await within(finished, `the end of a session for ${JSON.stringify(filter).slice(0, 200)}`)
  return difference
}
