import * as client from './client.mjs'
import { auth } from '../suites/auth.mjs'
import { deletion } from '../suites/deletion.mjs'
import { events } from '../suites/events.mjs'
import { queries } from '../suites/queries.mjs'
import { realEvents } from '../suites/real-events.mjs'

for (const suite of [events, queries, deletion, auth, realEvents]) suite(client)
