/**
 * Adds Waggle to a libp2p node that already has a protocol of its own, here one that tells the time.
 * The dictionary lists the peers that offer it; the protocol itself runs over libp2p.
 */

import { identify } from '@libp2p/identify'
import type { PeerId } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { DHT, waggle, waggleKadDHT } from '@waggle/dht'
import { createLibp2p, type Libp2p } from 'libp2p'

const PROTOCOL = '/my-app/time/1.0.0'

async function myNode(): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: {
      identify: identify(),
      ping: ping(),
      // Nodes with different protocols form different networks: name yours after your application.
      dht: waggleKadDHT({ protocol: '/my-app/kad/1.0.0' }),
      waggle: waggle()
    }
  })
}

/** Reads one message, which is the whole answer, without waiting for the end of the stream. */
async function askTime(node: Libp2p, peer: PeerId): Promise<string | undefined> {
  const stream = await node.dialProtocol(peer, PROTOCOL)

  try {
    for await (const bytes of stream) {
      return new TextDecoder().decode(bytes.subarray())
    }
  } finally {
    await stream.close()
  }
}

const server = await myNode()
await server.handle(PROTOCOL, async (stream) => {
  stream.send(new TextEncoder().encode(new Date().toISOString()))
  await stream.close()
})
const serverDHT = await DHT.create({ libp2p: server })
await serverDHT.store('time', 'offered', { subkey: server.peerId.toString(), ttl: 60 })

const client = await myNode()
const clientDHT = await DHT.create({ libp2p: client, initialPeers: server.getMultiaddrs() })
const offers = await clientDHT.get('time', { latest: true })

if (!(offers?.value instanceof Map)) {
  throw new Error('nobody offers the time')
}

for (const id of offers.value.keys()) {
  const peer = client.getPeers().find((peer) => peer.toString() === id)

  if (peer !== undefined) {
    console.log(`${id} says that it is ${await askTime(client, peer)}`)
  }
}

// Stopping the DHT leaves the application's node running.
await clientDHT.stop()
await serverDHT.stop()
await client.stop()
await server.stop()
