import { once } from 'node:events'
import type { Libp2p, ServiceMap } from '@libp2p/interface'

/** Malformed messages of one peer that count as mistakes. */
export const MALFORMED_ALLOWED = 8

/** Sends bytes that are no frame, and waits until the server has ended the stream. */
export async function sendMalformed(
  from: Libp2p<ServiceMap>,
  to: Libp2p<ServiceMap>,
  protocol: string
): Promise<void> {
  const stream = await from.dialProtocol(to.getMultiaddrs(), protocol)
  const ended = once(stream, 'close')
  stream.send(new Uint8Array(16).fill(0xff))
  await ended
}
