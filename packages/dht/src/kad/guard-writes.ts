import { MessageType } from '@libp2p/kad-dht'
import type { Access } from '../access.ts'
import type { KadInternals } from './internals.ts'

/** Has kad-dht refuse PUT_VALUE of those who may not store here, as it refuses what is invalid. */
export function guardWrites({ rpc }: KadInternals, access: Access): void {
  const handle = rpc.handleMessage.bind(rpc)

  rpc.handleMessage = async (peer, message) => {
    if (message.type === MessageType.PUT_VALUE && !(await access.allows(peer, 'write'))) {
      throw new Error('this peer may not store here')
    }

    return handle(peer, message)
  }
}
