import { BusyError } from '../errors.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import type { RequestProtocol } from '../wire/request-protocol.ts'
import {
  GATEWAY,
  type GatewayMessage,
  type GatewayWrite,
  type ReadAnswer,
  type ReadPlace,
  type WriteAnswer
} from './gateway-messages.ts'

/** Asks for the record under one key, or for one subkey. */
export interface ReadOne extends ReadPlace {
  readonly name: 'read'
  readonly isLatest: boolean
}

/** Asks to have one write held. */
export interface WriteOne extends GatewayWrite {
  readonly name: 'write'
}

export type GatewayRequest = ReadOne | WriteOne
export type GatewayResponse = ReadAnswer | WriteAnswer

/** The client side of the gateway protocol. */
export const GATEWAY_REQUESTS: RequestProtocol<GatewayRequest, GatewayResponse, GatewayMessage> = {
  codec: GATEWAY,
  sizeOf: (request) => request.key.length + (request.name === 'write' ? request.record.length : 0),
  isAlike: (a, b) =>
    a.name === 'read' ? b.name === 'read' && a.isLatest === b.isLatest : b.name === 'write',
  messageOf: (pending, id) =>
    requestOf(
      id,
      pending.map(({ request }) => request)
    ),
  idOf: ({ id }) => id,
  responsesOf(message, { requests }) {
    if (message.name === 'busy') {
      return BUSY
    }

    const isRead = requests[0]?.request.name === 'read'

    if (
      message.name !== (isRead ? 'records' : 'outcomes') ||
      message.answers.length === 0 ||
      message.answers.length > requests.length
    ) {
      throw new ProtocolViolationError(
        `the peer sent a message "${message.name}" that does not reply to the request`
      )
    }

    return message.answers
  }
}

/** Made once: there may be many of them, and just when there is much to do. */
const BUSY = new BusyError('the gateway has too much to do')

/** The message that carries requests which are alike. */
function requestOf(id: number, requests: readonly GatewayRequest[]): GatewayMessage {
  const [first] = requests
  return first?.name === 'read'
    ? { name: 'read', id, isLatest: first.isLatest, keys: requests as readonly ReadOne[] }
    : { name: 'write', id, writes: requests as readonly WriteOne[] }
}
