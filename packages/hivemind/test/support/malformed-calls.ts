import { once } from 'node:events'
import type { Libp2p, ServiceMap } from '@libp2p/interface'

/** Malformed messages of one peer that are taken for mistakes. */
export const MALFORMED_ALLOWED = 8

/** Sends what is no frame, and waits until the stream has ended for it. */
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
