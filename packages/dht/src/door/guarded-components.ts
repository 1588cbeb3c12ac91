import type { Connection, NewStreamOptions, Stream } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { type Door, doorOf } from './door.ts'
import type { StreamGuard } from './guarded-stream.ts'
import { overriding } from './overriding.ts'

/** How each stream of a protocol is guarded; made anew for each, as it may count. */
export type ProtocolGuard = (connection: Connection, stream: Stream) => StreamGuard

/** The components of libp2p that guards wrap. */
export interface GuardableComponents {
  readonly events: object
  readonly registrar: Registrar
}

interface Dialling {
  readonly connectionManager: ConnectionManager
}

/** The registrar as a protocol's service is to have it: each stream that a peer opens is guarded, and is given a turn. */
export function guardedRegistrar(
  registrar: Registrar,
  door: Door,
  guard: ProtocolGuard
): Registrar {
  return overriding<Registrar>(registrar, {
    handle: (protocol, handler, options) =>
      registrar.handle(
        protocol,
        (stream, connection) => {
          const guarded = door.guard(stream, connection, guard(connection, stream))
          const { promise, resolve, reject } = Promise.withResolvers<void>()
          // A stream that has ended in the meantime needs no answer.
          const serve = async (): Promise<void> =>
            guarded.status === 'open' ? handler(guarded, connection) : undefined
          door.admit(connection.remotePeer.toString(), () => serve().then(resolve, reject))
          return promise
        },
        options
      )
  })
}

/** A connection on which the streams that are opened by this node are guarded, too. */
export function guardedConnection(
  connection: Connection,
  door: Door,
  guard: ProtocolGuard
): Connection {
  return overriding<Connection>(connection, {
    newStream: async (protocols: string | string[], options?: NewStreamOptions) => {
      const stream = await connection.newStream(protocols, options)
      return door.guard(stream, connection, guard(connection, stream))
    }
  })
}

/** Libp2p's components as the service of a protocol is to have them. */
export function guardedComponents<C extends GuardableComponents>(
  components: C,
  guard: ProtocolGuard,
  others: Partial<C> = {}
): C {
  const door = doorOf(components)
  return overriding<C>(components, {
    registrar: guardedRegistrar(components.registrar, door, guard),
    ...others
  } as Partial<C>)
}

/** A connection manager whose streams are guarded, whoever was asked for them. */
export function guardedStreams(
  components: Dialling & { readonly events: object },
  guard: ProtocolGuard
): ConnectionManager {
  const door = doorOf(components)
  const { connectionManager } = components
  return overriding<ConnectionManager>(connectionManager, {
    openStream: async (peer, protocols, options) => {
      const connection = await connectionManager.openConnection(peer, options)
      return guardedConnection(connection, door, guard).newStream(protocols, options)
    }
  })
}
