import { randomBytes } from 'node:crypto'
import { type DHTRecord, getDHTTime } from '@waggle/record'

/** The expiration of forged entries, later than those that they are to replace. */
const LATER = getDHTTime() + 86_400

/** Prolongs the entries of a record, and keeps their signatures. */
export function changed({ plain, subkeys }: DHTRecord): DHTRecord {
  return { ...(plain && { plain: { ...plain, expirationTime: LATER } }), subkeys }
}

export function unsigned({ plain, subkeys }: DHTRecord): DHTRecord {
  const value = plain?.value ?? new Uint8Array(1)
  return { plain: { expirationTime: LATER, value }, subkeys }
}

export function tombstoned({ plain, subkeys }: DHTRecord): DHTRecord {
  const signature = plain?.signature ?? new Uint8Array(64)
  return { plain: { expirationTime: LATER, signature }, subkeys }
}

export function signedAtRandom({ plain, subkeys }: DHTRecord): DHTRecord {
  const signature = Uint8Array.from(randomBytes(64))
  return { plain: { expirationTime: LATER, ...plain, signature }, subkeys }
}
