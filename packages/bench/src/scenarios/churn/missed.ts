import type { PeerProcess } from '../../peers/peer-process.ts'
import type { Ledger, Verdict } from './ledger.ts'
import type { Watch, Watchers } from './watchers.ts'

/** A final state that did not come to one who watches. */
export interface Missed extends Pick<Watch, 'by' | 'key'> {
  readonly verdict: Verdict

  /**
   * How many peers hold what was acknowledged last: where none does, no watcher can be told. Undefined for
   * what has expired or was deleted, which nobody has to hold.
   */
  readonly holders: number | undefined
}

/** All that is missed, when no more is waited for. */
export function missedBy(
  watchers: Watchers,
  ledger: Ledger,
  peers: readonly PeerProcess[]
): Promise<Missed[]> {
  return Promise.all(
    watchers.late().map(async (watch) => {
      const { by, key } = watch
      const verdict = watchers.verdict(watch)
      const holders = ledger.isBrief(key) ? undefined : await holdersOf(key, { ledger, peers })
      return { by, key, verdict, holders }
    })
  )
}

async function holdersOf(
  key: string,
  { ledger, peers }: { ledger: Ledger; peers: readonly PeerProcess[] }
): Promise<number> {
  const expirationTime = ledger.acknowledgedUntil(key)
  const held = await Promise.all(peers.map((peer) => peer.call('holds', { key, expirationTime })))
  return held.filter((isHeld) => isHeld).length
}
