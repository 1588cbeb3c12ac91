// A JavaScript peer in a process of its own, to be killed or attacked: prints its addresses and waits. Asked by a
// message, it says how long the longest turn of its event loop was since the last one.
import process from 'node:process'
import { TurnWatch } from '../../../dht/test/support/turn-watch.ts'
import { HivemindDHT } from '../../src/index.ts'

/** Milliseconds until the process ends by itself, whatever happens to the test. */
const LIFETIME_MS = 120_000

const dht = await HivemindDHT.create({ initialPeers: process.argv.slice(2) })
const turns = new TurnWatch()
process.on('message', () => process.send?.(turns.takeLongestMs()))
process.stdout.write(`${JSON.stringify({ maddrs: dht.multiaddrs.map(String), id: dht.peerId })}\n`)
setTimeout(() => process.exit(), LIFETIME_MS)
