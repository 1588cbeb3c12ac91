import type { Multiaddr } from '@multiformats/multiaddr'
import { isRefusal } from '../peers/refused-dials.ts'
import { NotAServerError, OtherRevisionError } from './not-a-server-error.ts'

/** A failed attempt to join. */
interface Failure {
  readonly address: Multiaddr
  readonly error: Error
}

/** A reason why joining fails, with advice. */
interface Hint {
  readonly matches: (failure: Failure) => boolean
  readonly check: string

  /** Whether a retry is useless without a change. */
  readonly isFinal?: boolean
}

/**
 * The message where a connection ends during its handshake: with the bytes received so far, or libp2p's own one if
 * none belongs to what it caught. A node that is too busy ends it in this way, and so does something else that
 * listens there. Only joins are retried then, because their addresses come from the user.
 */
const HANDSHAKE_END = /closed while reading [1-9]|^Encryption failed$/

/** Hints. The first one that matches applies. */
const HINTS: readonly Hint[] = [
  {
    matches: ({ address }) => hasPortZero(address),
    check:
      'Port 0 is only valid for listening: use an address from the multiaddrs of the running peer.',
    isFinal: true
  },
  {
    matches: ({ error }) => error instanceof NotAServerError,
    check:
      'Check that its protocol is the same as this node’s, and that it is not a client, which nodes can’t join through.',
    isFinal: true
  },
  {
    matches: ({ error }) => error instanceof OtherRevisionError,
    check: 'Update the older of the two: all nodes of a network need the same revision.',
    isFinal: true
  },
  {
    matches: ({ error }) => /does not report its time/.test(error.message),
    check:
      'It must respond within requestTimeoutMs: try again with more time, or leave out strictClock.',
    isFinal: true
  },
  {
    matches: ({ error }) => error.name === 'ClockSkewError',
    check: 'Correct the clock that is wrong, or leave out strictClock.',
    isFinal: true
  },
  {
    matches: ({ error }) => /dial self/i.test(error.message),
    check:
      'This is the node itself: leave its address out. If it is another node, both have the same identity: give each its own identityPath.',
    isFinal: true
  },
  {
    matches: ({ error }) => /does not match expected remote identity/.test(error.message),
    check:
      'Another peer runs at this address: check the part after /p2p/, or leave it out. A peer keeps its id if it has an identityPath.',
    isFinal: true
  },
  {
    matches: ({ address, error }) => error.name === 'NoValidAddressesError' && !hasHost(address),
    check: 'The address has a peer id but no host and port: add them in front of /p2p/.',
    isFinal: true
  },
  {
    matches: ({ error }) => error.name === 'NoValidAddressesError',
    check:
      'This node has no transport for this kind of address: use a TCP address, or add the transport with libp2pOptions.',
    isFinal: true
  },
  {
    matches: ({ error }) => isOneOf(error, ['ENOTFOUND', 'EAI_AGAIN', 'DNSQueryFailedError']),
    check: 'Check the spelling of the host name, and that this machine can resolve names.'
  },
  {
    matches: ({ error }) => isOneOf(error, ['ECONNREFUSED']),
    check:
      'No process listens there: check that the peer runs, the port, and that it listens on more than 127.0.0.1 if it is another machine.'
  },
  {
    matches: ({ error }) => isOneOf(error, ['EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL']),
    check:
      'This machine has no route to the address: check the address and the network; for an IPv6 address, that this machine has IPv6.'
  },
  {
    matches: ({ error }) => /no answer within/.test(error.message) || isOneOf(error, ['ETIMEDOUT']),
    check:
      'Check the address, that firewalls and routers on the path allow TCP, and that both nodes have the same swarmKey, or both none. A slow peer needs a longer bootstrapTimeoutMs.'
  },
  {
    matches: ({ error }) => /did not identify itself/.test(error.message),
    check:
      'The peer accepts connections and does not respond on them: it may have too much to do, or be stopped. Try again later, or name another initial peer.'
  },
  {
    matches: ({ error }) => error.name === 'DialDeniedError',
    check:
      'This node’s own connectionGater or allowPeer denies the peer: allow it there, or leave its address out.',
    isFinal: true
  },
  {
    matches: ({ error }) => HANDSHAKE_END.test(error.message),
    check:
      'The connection ended in the middle of the handshake. The peer may be too busy: try again later, or with a longer bootstrapTimeoutMs. Or a process that is not a peer of this network listens there: check the port, and that both nodes have the same swarmKey, or both none.'
  },
  {
    matches: ({ error }) => isRefusal(error) || isReset(error),
    check:
      'The peer closed the connection. It may be full (its connectionManager.maxConnections), limit new connections from one host (connectionManager.inboundConnectionThreshold: 5 a second in libp2p’s own defaults), or deny this node (its allowPeer or connectionGater): try again later, with a longer bootstrapTimeoutMs, or another initial peer. If it never works, check the port, and that both nodes have the same swarmKey, or both none.'
  },
  {
    matches: ({ error }) => isOneOf(error, ['ENCRYPTION_FAILED', 'EncryptionFailedError']),
    check:
      'A process that is not a peer of this network listens there: check the port, and that both nodes have the same swarmKey, or both none.',
    isFinal: true
  }
]

const OTHERWISE = 'Check that the peer runs, and that this machine can connect to it.'

/** Returns advice for a failed attempt to join through a peer. */
export function bootstrapHint(failure: Failure): string {
  return hintFor(failure)?.check ?? OTHERWISE
}

/** Whether another attempt would fail in the same way. */
export function isFinal(failure: Failure): boolean {
  return hintFor(failure)?.isFinal ?? false
}

function hintFor(failure: Failure): Hint | undefined {
  return HINTS.find(({ matches }) => matches(failure))
}

/** Whether the error, or its cause, has one of these names or codes. */
function isOneOf(error: Error, names: readonly string[]): boolean {
  const { name, code, cause } = error as Error & { code?: unknown }
  const isItself = names.includes(name) || names.includes(String(code))
  return isItself || (cause instanceof Error && isOneOf(cause, names))
}

/**
 * Whether the other side closed the connection before it sent anything. libp2p reports that only in the message.
 */
function isReset({ message }: Error): boolean {
  return /has been reset|while reading 0\/\d+ bytes|after reading 0\/\d+ bytes/.test(message)
}

function hasPortZero(address: Multiaddr): boolean {
  return address.getComponents().some(({ name, value }) => name === 'tcp' && value === '0')
}

function hasHost(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name !== 'p2p')
}
