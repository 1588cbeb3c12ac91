import type { EventTypes, MessageType } from '@libp2p/kad-dht'

/*
 * Values of kad-dht's enums. A page that is a client loads nothing of kad-dht, so it has only their types from there.
 */
export const GET_VALUE_TYPE: MessageType = 'GET_VALUE' as MessageType
export const PUT_VALUE_TYPE: MessageType = 'PUT_VALUE' as MessageType
export const PEER_RESPONSE_EVENT: EventTypes.PEER_RESPONSE = 1
export const QUERY_ERROR_EVENT: EventTypes.QUERY_ERROR = 3
