import { pointOfKey } from '../peers/key-space.ts'
import type { Member } from '../peers/known-peers.ts'
import { keyOf } from '../store/record-store.ts'
import { SAMPLES } from './intervals.ts'
import type { Pass } from './pass.ts'
import { Samples } from './samples.ts'
import type { UpkeepInit } from './upkeep-init.ts'

type Views = Pick<Pass, 'before' | 'after'>
type AskingNode = Pick<UpkeepInit, 'holds' | 'numReplicas' | 'store'>

/**
 * Finds the newcomers that hold all records that they should. They have only been disconnected, or this node was, and
 * need no hand-over.
 */
export async function findReturned(views: Views, node: AskingNode): Promise<Member[]> {
  const returned: Member[] = []
  await Promise.all(
    [...samplesFor(views, node)].map(async ([name, { keys }]) => {
      const member = views.after.get(name)

      if (member !== undefined && keys.length === SAMPLES && (await hasAll(member, keys, node))) {
        returned.push(member)
      }
    })
  )
  return returned
}

/**
 * Picks for each newcomer some records that it has if it was a replica before. They are random, because a newcomer
 * that received only a part has the first of them.
 */
function samplesFor(
  { before, after }: Views,
  { numReplicas, store }: AskingNode
): ReadonlyMap<string, Samples> {
  const samples = new Map<string, Samples>()
  const newcomers = new Set(after.missingIn(before))

  for (const name of newcomers.size === 0 ? [] : store.names()) {
    const key = keyOf(name)

    for (const owner of after.nearest(pointOfKey(key), numReplicas)) {
      if (newcomers.has(owner)) {
        samples.set(owner, (samples.get(owner) ?? new Samples(SAMPLES)).offer(key))
      }
    }
  }

  return samples
}

async function hasAll(
  { contact }: Member,
  keys: readonly Uint8Array[],
  { holds }: AskingNode
): Promise<boolean> {
  try {
    const held = await Promise.all(keys.map((key) => holds(contact, key)))
    return held.every(Boolean)
  } catch {
    return false
  }
}
