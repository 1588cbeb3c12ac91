/** Of a peer's addresses, those that are dialled: TCP, where a WebSocket leads to the same port. */
export { withoutTwins as dialledAddresses } from './websocket-address.ts'
