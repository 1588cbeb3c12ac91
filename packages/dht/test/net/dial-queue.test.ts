import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { DHT } from '@waggle/dht'
import { expect, it } from 'vitest'
import { peerNumber } from '../support/numbered-peers.ts'

/** More than libp2p queues by default. */
const DIALS = 1000

it('takes as many dials as a bulk call in a large network may need (N10e)', async () => {
  const sockets: Socket[] = []
  const silent = createServer((socket) => sockets.push(socket.on('error', () => {})))
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  await using node = await DHT.create()
  const over = new AbortController()

  try {
    const dials = Array.from({ length: DIALS }, (_, i) =>
      node.libp2p.dial(multiaddr(`/ip4/127.0.0.1/tcp/${port}/p2p/${peerNumber(i)}`), {
        signal: over.signal
      })
    )
    const settled = Promise.allSettled(dials)
    await expect.poll(() => node.libp2p.getDialQueue().length).toBe(DIALS)
    over.abort(new Error('enough'))
    const reasons = (await settled).map((dial) => dial.status === 'rejected' && dial.reason.message)
    expect(reasons).not.toContain('Dial queue is full')
  } finally {
    over.abort()
    silent.close()

    for (const socket of sockets) {
      socket.destroy()
    }
  }
})
