// A program that uses the library: plain JavaScript, because Node's reader of TypeScript takes time and memory. Its
// arguments are an address of the network and a key. It writes one line of JSON.
import process from 'node:process'
import { setTimeout as passed } from 'node:timers/promises'

/** Pause before memory is read, for the work that follows joining. */
const IDLE_MS = 1000

const [, , address, key] = process.argv
const start = performance.now()
const { DHT } = await import('@waggle/dht')
const dht = await DHT.create({ listenOn: '127.0.0.1:0', initialPeers: [address] })
const found = await dht.get(key)
const coldMs = performance.now() - start
await passed(IDLE_MS)
const rssBytes = process.memoryUsage.rss()
await dht.stop()
process.stdout.write(JSON.stringify({ coldMs, rssBytes, value: [...(found?.value ?? [])] }))
