import type { PeerId } from '@libp2p/interface'
import { MessageType } from '@libp2p/kad-dht'
import type { Access } from '../peers/access.ts'
import type { KadInternals } from './internals.ts'

/**
 * Has kad-dht refuse to read and write records for those who may not, as it refuses what is invalid,
 * until the signal is aborted. Who helps whom to find peers is kad-dht's own affair.
 */
export function guardRecords({ rpc }: KadInternals, access: Access, lifetime: AbortSignal): void {
  const handle = rpc.handleMessage

  rpc.handleMessage = async (peer, message) => {
    await assertAllowed(peer, message.type, access)
    return handle.call(rpc, peer, message)
  }
  lifetime.addEventListener('abort', () => {
    rpc.handleMessage = handle
  })
}

async function assertAllowed(peer: PeerId, type: MessageType, access: Access): Promise<void> {
  const isWrite = type === MessageType.PUT_VALUE

  if ((isWrite || type === MessageType.GET_VALUE) && !(await access.allows(peer, 'connect'))) {
    throw new Error('this peer may not ask here')
  }

  if (isWrite && !(await access.allows(peer, 'write'))) {
    throw new Error('this peer may not store here')
  }
}
