// A WebSocket without a client library: for frames that no library sends, and answers that they all hide.

import WebSocket from 'ws'
import { PATIENCE_MS, RELAY_URL, within } from '../suites/relay.mjs'

let subscriptions = 0

export const subscriptionId = () => `wire-${subscriptions++}`

/** Connects for the length of test `t`. */
export async function connect(t) {
  const socket = new WebSocket(RELAY_URL)
  const connection = { frames: [], closed: undefined }
  const waiting = new Set()
  socket.on('message', data => {
    connection.frames.push(JSON.parse(data))
    for (const look of waiting) look()
  })
  socket.on('close', code => (connection.closed = code))
  await within(new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject)), 'the connection', PATIENCE_MS)
  t.after(() => socket.terminate())

  /** The first frame from `from` on that satisfies `condition`. */
  connection.frame = (condition, what, from = 0) => within(new Promise(resolve => {
    const look = () => {
      const frame = connection.frames.slice(from).find(condition)
      if (!frame) return
      waiting.delete(look)
      resolve(frame)
    }
    waiting.add(look)
    look()
  }), what)
  connection.send = message => socket.send(typeof message === 'string' ? message : JSON.stringify(message))

  /** Sends `message` and resolves with the first answer of a type to `id`; any type where `type` is undefined. */
  connection.answer = async (id, type, message) => {
    const from = connection.frames.length
    connection.send(message)
    const isAnswer = frame => frame[1] === id && (type === undefined || frame[0] === type)
    return connection.frame(isAnswer, `an answer to ${JSON.stringify(message).slice(0, 100)}`, from)
  }

  /** Sends `[type, subscription id, ...rest]` and resolves with the first answer that has this id. */
  connection.ask = (type, id, ...rest) => connection.answer(id, undefined, [type, id, ...rest])

  /** Stored events that match `filter`, page by page, unverified. */
  connection.events = async filter => {
    const events = new Map()
    let before = -1
    for (let page = { limit: 200, ...filter }; events.size > before;) {
      before = events.size
      const [id, from] = [subscriptionId(), connection.frames.length]
      connection.send(['REQ', id, page])
      await connection.frame(([type, to]) => to === id && (type === 'EOSE' || type === 'CLOSED'), 'EOSE', from)
      connection.send(['CLOSE', id])
      for (const [type, to, event] of connection.frames.splice(from)) {
        if (type !== 'EVENT' || to !== id) continue
        events.set(event.id, event)
        page = { ...page, until: event.created_at }
      }
    }
    return [...events.values()]
  }
  return connection
}
