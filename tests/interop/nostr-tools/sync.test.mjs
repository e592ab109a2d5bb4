import * as client from './client.mjs'
import { sync } from '../suites/sync.mjs'

sync(client)
