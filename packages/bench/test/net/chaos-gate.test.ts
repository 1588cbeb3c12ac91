import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { Gate } from '../../src/scenarios/chaos/gate.ts'

const [FRIEND, OTHER] = ['127.0.0.1', '127.0.0.2']
const isLinux = process.platform === 'linux'

/** Hosts of their own on the loopback interface are Linux's. */
describe.runIf(isLinux)('a gate', () => {
  it('holds back what hosts send that are cut off, and passes it on later', async () => {
    const received: string[] = []
    const server = createServer((socket) => {
      socket.on('error', () => {}).on('data', (bytes) => received.push(String(bytes)))
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    await using gate = await Gate.open((server.address() as AddressInfo).port)

    try {
      const [friend, other] = [await open(gate, FRIEND), await open(gate, OTHER)]
      other.write('before')
      await expect.poll(() => received).toEqual(['before'])

      gate.cutOff(new Set([OTHER]))
      other.write('meanwhile')
      friend.write('friend')
      const late = await open(gate, OTHER)
      late.write('never')
      await expect.poll(() => received).toEqual(['before', 'friend'])

      gate.cutOff(new Set())
      await expect.poll(() => received).toEqual(['before', 'friend', 'meanwhile'])
      await expect.poll(() => late.destroyed).toBe(true)
      friend.destroy()
      other.destroy()
    } finally {
      server.close()
    }
  })
})

async function open(gate: Gate, localAddress: string): Promise<Socket> {
  const socket = connect({ port: gate.port, host: '127.0.0.1', localAddress })
  await once(
    socket.on('error', () => {}),
    'connect'
  )
  return socket
}
