import { type DHTRecord, type DHTTime, type Entry, isEmpty, type SubkeyId } from '@waggle/record'
import { isKeyOf, isOwned, isTombstone, placeOwner, prune } from '@waggle/record/replica'
import { CLOCK_STEP, signerOf, type Write, type WriteRules } from './writes.ts'

/** Everything to delete: all that is present under a key, or under one of its subkeys. */
export interface Deletion {
  readonly key: Uint8Array
  readonly id: SubkeyId | undefined
  readonly present: DHTRecord
}

export interface Deletions {
  /** Tombstones, one step later than the deleted entries. Empty if there is nothing to delete. */
  readonly writes: readonly Write[]

  /** The part that stays, because others own it (R16). */
  readonly remaining: DHTRecord
}

/**
 * Makes the tombstones that delete a record (R9). A tombstone on the key erases all subkeys (R4) except owned ones,
 * and R6 rejects it while these are shown: then each subkey gets its own.
 */
export function deletions({ key, id, present }: Deletion, rules: WriteRules): Deletions {
  const { plain, subkeys } = valuesOf(prune(present, rules.now))
  const entry = id === undefined ? undefined : subkeys.get(id)
  const owned = [...subkeys].filter(([id]) => isOwned(id))
  const toWrite = (plain: Entry | undefined, subkeys: Iterable<[SubkeyId, Entry]>): Write[] =>
    tombstones({ key, plain, subkeys }, rules)

  if (id !== undefined) {
    return { writes: toWrite(undefined, entry === undefined ? [] : [[id, entry]]), remaining: NONE }
  }

  if (owned.length === 0) {
    return { writes: toWrite(latest(plain, subkeys.values()), []), remaining: NONE }
  }

  const others = [...subkeys].filter(([id]) => !isOwned(id))
  const own = owned.filter(([id]) => isOwn(key, id, rules))
  return {
    writes: [
      ...toWrite(others.length === 0 ? undefined : plain, others),
      ...own.flatMap((one) => toWrite(undefined, [one]))
    ],
    remaining: { subkeys: new Map(owned.filter((one) => !own.includes(one))) }
  }
}

const NONE: DHTRecord = { subkeys: new Map() }

/** Leaves out what deletions have left behind. */
function valuesOf({ plain, subkeys }: DHTRecord): DHTRecord {
  const values = new Map([...subkeys].filter(([, entry]) => !isTombstone(entry)))
  return { subkeys: values, ...(plain && !isTombstone(plain) && { plain }) }
}

function latest(plain: Entry | undefined, entries: Iterable<Entry>): Entry | undefined {
  let last = plain

  for (const entry of entries) {
    last = last !== undefined && last.expirationTime >= entry.expirationTime ? last : entry
  }

  return last
}

/** Returns the write that deletes these entries, if there are any. */
function tombstones({ key, plain, subkeys }: DHTPlaces, { signers }: WriteRules): Write[] {
  const gone = new Map(Array.from(subkeys, ([id, entry]) => [id, tombstoneOf(entry)]))
  const record: DHTRecord = { subkeys: gone, ...(plain && { plain: tombstoneOf(plain) }) }

  if (isEmpty(record)) {
    return []
  }

  const signer = signerOf({ key, record }, undefined, signers)
  return [{ key, record, isLive: true, ...(signer && { signer }) }]
}

interface DHTPlaces {
  readonly key: Uint8Array
  readonly plain: Entry | undefined
  readonly subkeys: Iterable<[SubkeyId, Entry]>
}

function tombstoneOf({ expirationTime }: { readonly expirationTime: DHTTime }): Entry {
  return { expirationTime: expirationTime + CLOCK_STEP }
}

function isOwn(key: Uint8Array, id: SubkeyId, { signers }: WriteRules): boolean {
  const owner = placeOwner(key, id)
  return owner !== undefined && signers.some((signer) => isKeyOf(owner, signer))
}
