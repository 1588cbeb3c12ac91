import { toString as stringOf } from 'uint8arrays/to-string'
import type { DHTRecord, DHTTime, Entry, SubkeyId } from '../src/index.ts'
import type { Write } from './generators.ts'

/*
 * The rules R1, R2, R4, R6, R8, R13 and R16 once more, without a line of the library: written to be
 * compared with docs/records.md sentence by sentence, not to be fast.
 */

type Place = Write['place']

/** The winner of any number of entries for one place (R2). */
export function modelWinner(entries: readonly Entry[]): Entry | undefined {
  return entries.toSorted(modelOrder).at(-1)
}

/** R2 as an order: the winner is the greatest. */
export function modelOrder(a: Entry, b: Entry): number {
  return compareLists(ranks(a), ranks(b))
}

/** The record of a replica that has seen all of the records (R5, R13). */
export function modelJoin(
  records: readonly DHTRecord[],
  maxSubkeys: number = Number.POSITIVE_INFINITY
): DHTRecord {
  const writes = records.flatMap(writesOf)
  const plain = modelWinner(at(writes, undefined))
  const places = new Set(writes.map(({ place }) => place).filter((place) => place !== undefined))
  const subkeys = [...places]
    .map((place): [SubkeyId, Entry] => [place, modelWinner(at(writes, place)) as Entry])
    .filter(
      ([place, entry]) =>
        plain === undefined || entry.expirationTime > plain.expirationTime || modelIsOwned(place)
    )
    .sort(
      ([placeA, a], [placeB, b]) =>
        Number(modelIsOwned(placeB)) - Number(modelIsOwned(placeA)) ||
        modelOrder(b, a) ||
        (placeA < placeB ? 1 : -1)
    )
    .slice(0, maxSubkeys)
    .sort(([placeA], [placeB]) => (placeA < placeB ? -1 : 1))

  return plain === undefined ? { subkeys: new Map(subkeys) } : { plain, subkeys: new Map(subkeys) }
}

/** Whether a subkey is owned (R15). In these tests, every subkey that looks owned is. */
export function modelIsOwned(place: Place): boolean {
  return place?.includes('[owner:') === true
}

/** The entries a reader is shown (R1, R8). */
export function modelShown(record: DHTRecord, now: DHTTime): Write[] {
  const live = writesOf(record).filter(
    ({ entry }) => entry.expirationTime > now && entry.value !== undefined
  )
  const dictionary = live.filter(({ place }) => place !== undefined)
  return dictionary.length > 0 ? dictionary : live
}

/** Whether a replica without limits accepts the write (R6, R3). */
export function modelAccepts(record: DHTRecord, { place, entry }: Write, now: DHTTime): boolean {
  const live = writesOf(record).filter((held) => held.entry.expirationTime > now)
  const beatsItsPlace = modelWinner([...at(live, place), entry]) === entry
  const latest =
    place === undefined
      ? live.filter((held) => held.place !== undefined && held.entry.value !== undefined)
      : []
  const erasers = place === undefined || modelIsOwned(place) ? [] : at(live, undefined)

  return (
    entry.expirationTime > now &&
    beatsItsPlace &&
    latest.every(
      (held) => held.entry.expirationTime <= entry.expirationTime && !modelIsOwned(held.place)
    ) &&
    erasers.every((plain) => plain.expirationTime < entry.expirationTime)
  )
}

/** The record as a list, so that the order of its subkeys counts when two are compared. */
export function writesOf({ plain, subkeys }: DHTRecord): Write[] {
  const dictionary = [...subkeys].map(([place, entry]) => ({ place, entry }))
  return plain === undefined ? dictionary : [{ place: undefined, entry: plain }, ...dictionary]
}

function at(writes: readonly Write[], place: Place): Entry[] {
  return writes.filter((write) => write.place === place).map(({ entry }) => entry)
}

function ranks({ expirationTime, value, signature }: Entry): (number | string)[] {
  return [expirationTime, bytesRank(value), bytesRank(signature)]
}

/** Ranks bytes: hexadecimal sorts as the bytes do, and absent bytes come before any. */
function bytesRank(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : `:${stringOf(bytes, 'hex')}`
}

function compareLists(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  const i = a.findIndex((rank, index) => rank !== b[index])
  return i < 0 ? 0 : (a[i] as number | string) > (b[i] as number | string) ? 1 : -1
}
