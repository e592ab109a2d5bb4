// The relay the suites talk to, and what it says about itself (NIP-11).

import assert from 'node:assert/strict'

export const RELAY_URL = process.env.INTEROP_URL
if (!RELAY_URL) throw new Error('INTEROP_URL is not set: start the suites with tests/interop/run.sh')

// Long enough for a busy machine with two cores, short enough to name a hang.
export const PATIENCE_MS = 20_000

// How long nothing has to come before a test says that nothing comes.
export const SILENCE_MS = 700

export const now = () => Math.floor(Date.now() / 1000)

export const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

/** Waits until `condition` returns something true, and returns that. */
export async function until(condition, what) {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const outcome = condition()
    if (outcome) return outcome
    if (Date.now() > deadline) throw new Error(`waited ${PATIENCE_MS} ms for ${what}`)
    await pause(10)
  }
}

/** The answer to `promise`, or an error that names what was waited for. */
export async function within(promise, what, ms = PATIENCE_MS) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** A refusal has to begin with one of `prefixes`, as NIP-01 writes it: `prefix: text`. */
export function assertRefused(ok, ...prefixes) {
  assert.equal(ok.accepted, false, `accepted with "${ok.reason}"`)
  const prefix = /^([a-z-]+): ./.exec(ok.reason)?.[1]
  assert.ok(prefixes.includes(prefix), `refused with "${ok.reason}", expected ${prefixes.join(' or ')}`)
}

export function assertAccepted(ok, what = 'event') {
  assert.equal(ok.accepted, true, `${what} refused with "${ok.reason}"`)
}

/** Same seven fields, value by value; anything a client library hangs on an event besides is not compared. */
export function assertSameEvent(served, published) {
  const fields = ({ id, pubkey, created_at, kind, tags, content, sig }) => ({ id, pubkey, created_at, kind, tags, content, sig })
  assert.deepEqual(fields(served), fields(published))
}

export const ids = events => events.map(event => event.id)

/** `items` in slices of a size that every relay answers in one REQ. */
export function* inSlices(items, size = 100) {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size)
}

/** Same ids, each once, in any order; names a few of those that differ, not thousands. */
export function assertSameSet(served, expected) {
  const [actual, wanted] = [[...served], new Set(expected)]
  const unique = new Set(actual)
  const missing = [...wanted].filter(id => !unique.has(id))
  const surplus = [...unique].filter(id => !wanted.has(id))
  const repeated = actual.length - unique.size
  const some = list => `${list.length} (${list.slice(0, 3).join(' ')})`
  if (missing.length + surplus.length + repeated > 0) {
    assert.fail(`${wanted.size} expected: missing ${some(missing)}, surplus ${some(surplus)}, repeated ${repeated}`)
  }
}

export function assertNewestFirst(events) {
  for (let i = 1; i < events.length; i++) {
    const [newer, older] = [events[i - 1], events[i]]
    const inOrder = newer.created_at > older.created_at || (newer.created_at === older.created_at && newer.id < older.id)
    assert.ok(inOrder, `event ${i} (${older.created_at} ${older.id}) after ${newer.created_at} ${newer.id}`)
  }
}

/** What a NIP-11 document of this relay has to say, whoever fetched it. */
export function assertInformation(information) {
  assert.ok(information.name, 'name')
  assert.match(information.software ?? '', /orly/i, 'software')
  assert.match(information.version ?? '', /\d+\.\d+/, 'version')

  const nips = information.supported_nips
  assert.ok(Array.isArray(nips) && nips.every(Number.isInteger), `supported_nips are numbers: ${JSON.stringify(nips)}`)
  for (const nip of [1, 9, 11, 40, 42, 45, 70]) assert.ok(nips.includes(nip), `supported_nips has ${nip}`)

  const limitation = information.limitation
  assert.equal(typeof limitation, 'object', 'limitation')
  for (const [name, limit] of Object.entries(limitation)) {
    if (name.startsWith('max_')) assert.ok(Number.isInteger(limit) && limit > 0, `limitation.${name} is ${limit}`)
  }
  for (const name of ['max_message_length', 'max_subscriptions']) assert.ok(limitation[name] > 0, `limitation.${name}`)
  assert.equal(limitation.auth_required, false, 'limitation.auth_required')
  assert.ok(!limitation.payment_required, 'limitation.payment_required')
}

/** Why the NIP-77 tests do not run against this relay, or `false` when they do. */
export async function reasonNotToReconcile() {
  const response = await fetch(RELAY_URL.replace(/^ws/, 'http'), { headers: { accept: 'application/nostr+json' } })
  const { supported_nips: nips } = await response.json()
  return nips.includes(77) ? false : `NIP-11 does not list 77: ${nips}`
}

let nextKind = 7000 + Math.floor(Math.random() * 1900)

/** A regular kind that nothing else on the relay has: a filter of kinds alone then names a set of the test's own. */
export const freshKind = () => nextKind++
