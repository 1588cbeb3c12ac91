import type { Connection } from '@libp2p/interface'
import type { AddressManager, ConnectionManager } from '@libp2p/interface-internal'
import { multiaddr } from '@multiformats/multiaddr'
import type { Door } from '../door/door.ts'
import { guardedConnection, type ProtocolGuard } from '../door/guarded-components.ts'
import { overriding } from '../door/overriding.ts'
import { delimited, messagesUpTo, piecesUpTo } from '../door/units.ts'
import { hostOf } from '../peers/host-of.ts'
import { ByteWriter } from '../wire/bytes.ts'
import { MAX_ADDRESS_BYTES, MAX_ADDRESSES_PER_PEER } from '../wire/limits.ts'
import {
  changedFields,
  type FieldChange,
  keepUpTo,
  protobufFields,
  varintIn,
  writeVarintField
} from '../wire/protobuf.ts'
import type { RelayBudget } from './relay-budget.ts'

/** The protocols of relays (libp2p specs, circuit relay v2). */
export const HOP_PROTOCOL = '/libp2p/circuit/relay/0.2.0/hop'
export const STOP_PROTOCOL = '/libp2p/circuit/relay/0.2.0/stop'

/** Addresses of one relay that a node announces. */
export const MAX_RELAY_ADDRESSES = 8

/** Bytes of one of their messages. */
const MAX_MESSAGE_BYTES = 8192

/** Bytes of a relayed connection that are passed on at once. */
const MAX_PIECE_BYTES: number = 64 * 1024

/** The fields of their messages. */
const HOP = { type: 1, peer: 2, reservation: 3, limit: 4 } as const
const STOP = { peer: 2, limit: 3 } as const
const PEER = { address: 2 } as const
const RESERVATION = { address: 2 } as const
const LIMIT = { duration: 1 } as const
const HOP_CONNECT = 1

const MS_PER_SECOND = 1000

/** One message each way, and then whatever the two ends have to say to each other. */
const CIRCUIT = {
  cut: messagesUpTo(MAX_MESSAGE_BYTES),
  units: 1,
  cutRest: piecesUpTo(MAX_PIECE_BYTES)
}

/** Guards what is asked of a relay: to remember a peer, or to connect to one that it remembers. */
export function hopGuard(budget: RelayBudget): ProtocolGuard {
  return ({ remotePeer }, stream) => {
    const peer = remotePeer.toString()
    let isCircuit = false
    return {
      ...CIRCUIT,
      receive(message) {
        isCircuit = varintIn(message, HOP.type) === HOP_CONNECT
        const close = isCircuit ? budget.open(peer) : undefined

        if (isCircuit && close === undefined) {
          throw new Error('the peer has too many relayed connections, or there are too many in all')
        }

        stream.addEventListener('close', () => close?.())
        return changedFields(message, { [HOP.peer]: withFewAddresses })
      },
      send: (message) => inSeconds(message, HOP.limit),
      pause: (bytes) => (isCircuit ? budget.pass(peer, bytes) : 0)
    }
  }
}

/** The connections of a relay, on which it tells those that it remembers who wants to talk to them. */
export function relayConnections(
  connectionManager: ConnectionManager,
  door: Door
): ConnectionManager {
  const guard: ProtocolGuard = () => ({
    ...CIRCUIT,
    send: (message) => inSeconds(message, STOP.limit)
  })
  return withGuardedConnections(connectionManager, door, guard)
}

/** Guards what relays say to a node that they remember: nothing, unless it has asked them to. */
export function stopGuard({ addressManager }: { addressManager: AddressManager }): ProtocolGuard {
  return ({ remotePeer }) => ({
    ...CIRCUIT,
    receive(message) {
      const relayed = `/p2p/${remotePeer}/p2p-circuit`

      if (!addressManager.getAddresses().some((address) => address.toString().includes(relayed))) {
        throw new Error('this node has not asked the peer to be its relay')
      }

      return changedFields(message, { [STOP.peer]: withFewAddresses })
    }
  })
}

/** The connections of a node that uses relays, on which they say where it can be reached. */
export function relayedConnections(
  connectionManager: ConnectionManager,
  door: Door
): ConnectionManager {
  const guard: ProtocolGuard = ({ remoteAddr }) => ({
    ...CIRCUIT,
    receive: (message) =>
      changedFields(message, {
        [HOP.reservation]: (reservation) =>
          changedFields(reservation, { [RESERVATION.address]: keepOnHost(hostOf(remoteAddr)) })
      })
  })
  return withGuardedConnections(connectionManager, door, guard)
}

function withGuardedConnections(
  connectionManager: ConnectionManager,
  door: Door,
  guard: ProtocolGuard
): ConnectionManager {
  const guarded = (connection: Connection): Connection => guardedConnection(connection, door, guard)
  return overriding<ConnectionManager>(connectionManager, {
    getConnections: (peer) => connectionManager.getConnections(peer).map(guarded),
    openConnection: async (...args) => guarded(await connectionManager.openConnection(...args))
  })
}

function withFewAddresses(peer: Uint8Array): Uint8Array {
  return changedFields(peer, {
    [PEER.address]: keepUpTo(MAX_ADDRESSES_PER_PEER, MAX_ADDRESS_BYTES)
  })
}

/** Keeps the addresses at the host that a node is connected to: all others may be anybody's. */
function keepOnHost(host: string): FieldChange {
  // libp2p adds the address that it is connected to by itself.
  const keep = keepUpTo(MAX_RELAY_ADDRESSES - 1, MAX_ADDRESS_BYTES)
  return (bytes) => (isAt(bytes, host) ? keep(bytes) : undefined)
}

function isAt(bytes: Uint8Array, host: string): boolean {
  try {
    return bytes.length <= MAX_ADDRESS_BYTES && hostOf(multiaddr(bytes.slice())) === host
  } catch {
    return false
  }
}

/**
 * A message whose limit is in seconds, as the specification has it. libp2p's relay sends
 * milliseconds, which whoever reads them takes for a thousand times as long.
 */
function inSeconds(framed: Uint8Array, limitField: number): Uint8Array {
  const unit = CIRCUIT.cut({ length: framed.length, at: (i) => framed[i] })

  if (unit === undefined) {
    return framed
  }

  const message = framed.subarray(unit.headBytes, unit.headBytes + unit.bytes)
  return delimited(changedFields(message, { [limitField]: limitInSeconds }))
}

function limitInSeconds(limit: Uint8Array): Uint8Array {
  const writer = new ByteWriter()

  for (const { number, value, bytes, raw } of protobufFields(limit)) {
    if (number === LIMIT.duration && bytes === undefined) {
      writeVarintField(writer, LIMIT.duration, Math.ceil(value / MS_PER_SECOND))
    } else {
      writer.bytes(raw)
    }
  }

  return writer.take()
}
