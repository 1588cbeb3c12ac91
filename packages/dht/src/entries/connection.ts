/**
 * @packageDocumentation
 *
 * Layers around yamux and noise that send fewer and smaller messages, for libp2p nodes that an application creates
 * itself. `DHT.create` uses them anyway.
 */

export { coalescingMuxer } from '../node/coalescing-muxer.ts'
export { unfragmentedWrites } from '../node/unfragmented-writes.ts'
