import type { PeerInfo, Stream } from '@libp2p/interface'
import { BufferLimits } from '../../src/admission/buffer-limits.ts'
import { DEFAULT_NODE_LIMITS } from '../../src/node-limits.ts'
import type { CancellationToken } from '../../src/timing/cancellation.ts'
import type { PeerPolicy } from '../../src/wire/dialer.ts'
import { type ClientParts, ProtocolClient } from '../../src/wire/protocol-client.ts'
import type { RequestProtocol } from '../../src/wire/request-protocol.ts'
import type { RequestStreamLimits } from '../../src/wire/request-stream.ts'
import { contact } from './exchange-serving.ts'

export type OpenStream = (peer: PeerInfo, protocol: string) => Promise<Stream>

/** Makes a policy that welcomes all peers. A test may replace parts of it. */
export function welcomingPeers(parts: Partial<PeerPolicy> = {}): PeerPolicy {
  return {
    isBanned: () => false,
    mayDial: () => true,
    recordDial() {},
    recordReferral() {},
    recordRefusedDial() {},
    recordResponse() {},
    ban() {},
    ...parts
  }
}

/** Makes the parts that the clients of all protocols share, for peers reached by a function. */
export function clientParts(open: OpenStream, parts: Partial<ClientParts> = {}): ClientParts {
  return {
    dialer: { openStream: open, hasten() {} },
    peers: welcomingPeers(),
    buffers: new BufferLimits(DEFAULT_NODE_LIMITS),
    ...parts
  }
}

export interface AskerInit<Q, R, M> {
  readonly open: OpenStream
  readonly speak: (peer: PeerInfo) => RequestProtocol<Q, R, M>
  readonly limits?: Partial<RequestStreamLimits> | undefined
  readonly parts?: Partial<ClientParts>
  readonly onEnd?: (() => void) | undefined
}

/** Sends requests of one protocol to one peer. */
export interface Asker<Q, R> {
  ask(request: Q, cancellation?: CancellationToken): Promise<R>

  /** Counts a record as being checked until the promise settles. */
  checking(checked: PromiseLike<unknown>): void
  close(): void
}

export function askerOf<Q, R, M>({
  open,
  speak,
  limits,
  parts,
  onEnd = () => {}
}: AskerInit<Q, R, M>): Asker<Q, R> {
  const peer = contact(1)
  const client = new ProtocolClient<Q, R, M>({
    ...clientParts(open, parts),
    id: '/test/1.0.0',
    streamLimits: limits ?? {},
    speak,
    onEnd
  })

  return {
    ask: (request, cancellation) =>
      client.request<R>(peer, request, {
        cancellation,
        onResponse: (response) => response,
        fallback() {
          throw new Error('the peer lacks the protocol')
        }
      }),
    checking: (checked) => client.streamTo(peer)?.trackCheck(checked),
    close: () => client.close()
  }
}
