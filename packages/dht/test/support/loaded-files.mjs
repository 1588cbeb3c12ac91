// A program of an application in Node: uses a network of two nodes, and prints the files that it has loaded, and the
// number of instances of WebAssembly.
import assert from 'node:assert/strict'
import { registerHooks } from 'node:module'

const files = []
let instances = 0

registerHooks({
  load(url, context, nextLoad) {
    if (url.startsWith('file:')) {
      files.push(url)
    }

    return nextLoad(url, context)
  }
})

WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(target, args) {
    instances++
    return Reflect.construct(target, args)
  }
})

const { DHT, InvalidKeyError } = await import('@waggle/dht')
const record = await import('@waggle/record')
const first = await DHT.create({ listenOn: '127.0.0.1:0' })
const second = await DHT.create({ initialPeers: first.multiaddrs })
assert.equal(await first.store('key', 1, { subkey: 'a', ttl: 60 }), true)
assert.ok((await second.get('key'))?.value instanceof record.Dictionary)
assert.equal(InvalidKeyError, record.InvalidKeyError)
await second.stop()
await first.stop()
process.stdout.write(JSON.stringify({ files, instances }))
