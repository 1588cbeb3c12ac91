import type { DHTRecord, Entry, SubkeyId } from '@waggle/record'

/**
 * Gives each of several entries bytes of its own. Entries that were read are views of all that was received, and one
 * that outlives the others would keep it in memory, where nobody counts it (N7).
 */
export function withOwnBytes(record: DHTRecord): DHTRecord {
  const { plain, subkeys } = record

  if (subkeys.size + Number(plain !== undefined) < 2) {
    return record
  }

  const copies = new Map<SubkeyId, Entry>()

  for (const [id, entry] of subkeys) {
    copies.set(id, copyOf(entry))
  }

  return plain === undefined ? { subkeys: copies } : { plain: copyOf(plain), subkeys: copies }
}

function copyOf({ expirationTime, value, signature }: Entry): Entry {
  return {
    expirationTime,
    ...(value && { value: new Uint8Array(value) }),
    ...(signature && { signature: new Uint8Array(signature) })
  }
}
