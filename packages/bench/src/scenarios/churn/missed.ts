import type { PeerProcess } from '../../peers/peer-process.ts'
import type { Ledger, Verdict } from './ledger.ts'
import type { Watch, Watchers } from './watchers.ts'

/** A final state that did not come to one who watches. */
export interface Missed extends Pick<Watch, 'by' | 'key'> {
  readonly verdict: Verdict

  /** How many peers hold what was acknowledged last: where none does, no watcher can be told. */
  readonly holders: number
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
      const expirationTime = ledger.acknowledgedUntil(key)
      const held = await Promise.all(
        peers.map((peer) => peer.call('holds', { key, expirationTime }))
      )
      const holders = held.filter((isHeld) => isHeld).length
      return { by, key, verdict: watchers.verdict(watch), holders }
    })
  )
}
