import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, it } from 'vitest'
import { SocketConnection } from '../../src/transport/socket-connection.ts'
import { silentLog } from '../support/silent-log.ts'

it('ends when nothing has come or gone for two minutes', async () => {
  const server = createServer((accepted) => accepted.on('error', () => {})).listen(0, '127.0.0.1')
  await once(server, 'listening')

  try {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    await once(socket, 'connect')
    const connection = new SocketConnection({
      ...{ socket, direction: 'outbound' },
      remoteAddr: multiaddr('/ip4/127.0.0.1/tcp/1'),
      log: silentLog
    })
    expect(socket.timeout).toBe(120_000)
    socket.emit('timeout')
    expect([connection.status, socket.destroyed]).toEqual(['aborted', true])
  } finally {
    server.close()
  }
})
