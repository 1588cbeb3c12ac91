// A JavaScript peer in a process of its own, to be killed: prints its addresses and waits.
import process from 'node:process'
import { HivemindDHT } from '../../src/index.ts'

/** Milliseconds until the process ends by itself, whatever happens to the test. */
const LIFETIME_MS = 120_000

const dht = await HivemindDHT.create({ initialPeers: process.argv.slice(2) })
process.stdout.write(`${JSON.stringify({ maddrs: dht.multiaddrs.map(String), id: dht.peerId })}\n`)
setTimeout(() => process.exit(), LIFETIME_MS)
