/** Uses Waggle in a libp2p node that the application makes by its own copy of libp2p, with a node of Waggle's copy. */
export const OWN_NODE = `import assert from 'node:assert/strict'
import { identify } from '@libp2p/identify'
import { isPeerId } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { isMultiaddr } from '@multiformats/multiaddr'
import { DHT, waggle, waggleKadDHT } from '@waggle/dht'
import * as handles from '@waggle/dht/handles'
import { openIndexedDB } from '@waggle/dht/indexeddb'
import { webRTC } from '@waggle/dht/webrtc'
import { Dictionary } from '@waggle/record'
import { createLibp2p } from 'libp2p'

assert.equal(typeof handles, 'object')
assert.equal(typeof openIndexedDB, 'function')
assert.throws(webRTC, TypeError)

const createNode = (services) =>
  createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { ...services, dht: waggleKadDHT(), waggle: waggle() }
  })

const other = await DHT.create({ listenOn: '127.0.0.1:0' })
const node = await createNode({ identify: identify(), ping: ping() })
const dht = await DHT.create({ libp2p: node, initialPeers: other.multiaddrs })
const client = await DHT.create({ initialPeers: node.getMultiaddrs(), clientMode: true })

// Each copy takes the addresses and peer ids of the other.
assert.ok(other.multiaddrs.every(isMultiaddr))
assert.ok(isPeerId(other.libp2p.peerId))
assert.ok(other.libp2p.peerId.equals(peerIdFromString(String(other.libp2p.peerId))))
assert.equal((await node.dial(other.multiaddrs[0])).remotePeer.equals(other.libp2p.peerId), true)

assert.equal(await dht.store('key', 1, { subkey: 'own', ttl: 60 }), true)
assert.equal(await client.store('key', 2, { subkey: 'client', ttl: 60 }), true)

for (const reader of [other, dht, client]) {
  const { value } = (await reader.get('key', { latest: true })) ?? {}
  assert.ok(value instanceof Dictionary)
  assert.deepEqual([...value.keys()].sort(), ['client', 'own'])
}

// libp2p finds services, their capabilities and content routers by symbols.
assert.equal(node.services.waggle[Symbol.toStringTag], '@waggle/dht')
await assert.rejects(createNode({ ping: ping() }), { name: 'UnmetServiceDependenciesError' })

await client.stop()
await dht.stop()
assert.equal(node.status, 'started')
await node.stop()
await other.stop()
`
