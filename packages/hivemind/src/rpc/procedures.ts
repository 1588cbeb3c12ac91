/** Hivemind's protocol ids, which are the names of its procedures, too. */
export const PING = 'DHTProtocol.rpc_ping'
export const STORE = 'DHTProtocol.rpc_store'
export const FIND = 'DHTProtocol.rpc_find'

export const PROCEDURES: readonly string[] = [PING, STORE, FIND]

/** Calls of one connection under way at once, in each direction: each has a stream of its own. */
export const MAX_STREAMS = 512
