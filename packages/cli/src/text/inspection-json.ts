import type { Inspection } from '@waggle/dht/handles'
import type { Key } from '@waggle/record'
import { foundJson } from './found.ts'
import type { Json } from './json.ts'
import { jsonOf } from './value-text.ts'

/** Formats a key's replicas for programs. */
export function inspectionJson(key: Key, { found, peers, point }: Inspection): Json {
  return {
    key: jsonOf(key),
    point: Buffer.from(point).toString('hex'),
    found: found === undefined ? null : foundJson(key, found),
    peers: peers.map(({ peer, expirationTime = null, digest = null, ...rest }) => ({
      peer: peer.toString(),
      ...rest,
      expirationTime,
      digest
    }))
  }
}
