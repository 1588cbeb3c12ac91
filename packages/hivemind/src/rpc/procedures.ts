/** Hivemind's protocol ids, which are also the names of its procedures. */
export const PING = 'DHTProtocol.rpc_ping'
export const STORE = 'DHTProtocol.rpc_store'
export const FIND = 'DHTProtocol.rpc_find'

export const PROCEDURES: readonly string[] = [PING, STORE, FIND]

/** Calls of one connection in flight at once, in each direction. Each has its own stream. */
export const MAX_STREAMS = 512
