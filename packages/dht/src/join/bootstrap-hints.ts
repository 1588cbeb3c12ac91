import type { Multiaddr } from '@multiformats/multiaddr'
import { NotAServerError } from './not-a-server-error.ts'

/** A failed attempt to join. */
interface Failure {
  readonly address: Multiaddr
  readonly error: Error
}

/** A reason why joining fails, and what to check then. */
interface Hint {
  readonly matches: (failure: Failure) => boolean
  readonly check: string
}

/** Hints, of which the first that matches is given. */
const HINTS: readonly Hint[] = [
  {
    matches: ({ address }) => hasPortZero(address),
    check:
      'Port 0 only means something for listening: take the address from the multiaddrs of the peer that runs.'
  },
  {
    matches: ({ error }) => error instanceof NotAServerError,
    check:
      'Check that its protocol is the same as this node’s, and that it is no client: nobody can join through one.'
  },
  {
    matches: ({ error }) => /does not tell its time/.test(error.message),
    check:
      'Its answer has to come within requestTimeoutMs: try again, with more time, or leave out strictClock.'
  },
  {
    matches: ({ error }) => error.name === 'ClockSkewError',
    check: 'Set the clock that is wrong, or leave out strictClock.'
  },
  {
    matches: ({ error }) => /dial self/i.test(error.message),
    check:
      'This is the node itself: leave its address out. If it should be another one, both have the same identity: give each an identityPath of its own.'
  },
  {
    matches: ({ error }) => /does not match expected remote identity/.test(error.message),
    check:
      'Another peer runs there than the one in the address: check the part after /p2p/, or leave it out. A peer keeps its id if it has an identityPath.'
  },
  {
    matches: ({ address, error }) => error.name === 'NoValidAddressesError' && !hasHost(address),
    check: 'The address has a peer id but no host and port: add them in front of /p2p/.'
  },
  {
    matches: ({ error }) => error.name === 'NoValidAddressesError',
    check:
      'This node has no transport for this kind of address: use a TCP address, or add the transport with libp2pOptions.'
  },
  {
    matches: ({ error }) => isOneOf(error, ['ENOTFOUND', 'EAI_AGAIN', 'DNSQueryFailedError']),
    check: 'Check the spelling of the host name, and that this machine can look up names.'
  },
  {
    matches: ({ error }) => isOneOf(error, ['ECONNREFUSED']),
    check:
      'Nobody listens there: check that the peer runs, the port, and that it listens on more than 127.0.0.1 if it is another machine.'
  },
  {
    matches: ({ error }) => isOneOf(error, ['EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL']),
    check:
      'No way leads there from here: check the address and this machine’s network; for an IPv6 address, that it has IPv6.'
  },
  {
    matches: ({ error }) => /no answer within/.test(error.message) || isOneOf(error, ['ETIMEDOUT']),
    check:
      'Check the address, that firewalls and routers on the way let TCP through, and that both have the same swarmKey, or both none. A slow peer needs a longer bootstrapTimeoutMs.'
  },
  {
    matches: ({ error }) => isOneOf(error, ['ECONNRESET', 'StreamResetError']) || isReset(error),
    check:
      'The node is full, or does not want this one: try again later, or another initial peer. If it never works, check the port, and that both have the same swarmKey, or both none.'
  },
  {
    matches: ({ error }) =>
      isOneOf(error, ['ENCRYPTION_FAILED', 'EncryptionFailedError', 'ECONNRESET']),
    check:
      'Something else than a peer of this network listens there: check the port, and that both have the same swarmKey, or both none.'
  }
]

const OTHERWISE = 'Check that the peer runs, and that this machine can connect to it.'

/** Says what to check after joining through a peer has failed. */
export function bootstrapHint(failure: Failure): string {
  return HINTS.find(({ matches }) => matches(failure))?.check ?? OTHERWISE
}

/** Goes by the name of the error, its code, or that of its cause. */
function isOneOf(error: Error, names: readonly string[]): boolean {
  const { name, code, cause } = error as Error & { code?: unknown }
  const isItself = names.includes(name) || names.includes(String(code))
  return isItself || (cause instanceof Error && isOneOf(cause, names))
}

/** The other side has ended the connection before it said anything: what libp2p makes of that is a text. */
function isReset({ message }: Error): boolean {
  return /ECONNRESET|has been reset|while reading 0\/\d+ bytes|after reading 0\/\d+ bytes/.test(
    message
  )
}

function hasPortZero(address: Multiaddr): boolean {
  return address.getComponents().some(({ name, value }) => name === 'tcp' && value === '0')
}

function hasHost(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name !== 'p2p')
}
