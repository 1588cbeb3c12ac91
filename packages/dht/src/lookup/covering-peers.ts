import type { PeerInfo } from '@libp2p/interface'
import { Tally } from '../collections/tally.ts'

/** Share of the lookups that a peer must suit: each further peer is another message. */
const MIN_SHARE = 1 / 16

/**
 * Lists few peers that suit many lookups, by the greedy algorithm for set cover: the one that most lookups may query, then
 * the one that most of the others may, and so on. Peers that hardly any two lookups share are left out.
 *
 * @param choices - the peers that each lookup may query
 */
export function coveringPeers(
  choices: readonly (readonly PeerInfo[])[],
  isSuitable: (contact: PeerInfo) => boolean
): PeerInfo[] {
  const least = Math.max(2, MIN_SHARE * choices.length)
  const lookups = new Tally<PeerInfo>()
  const covering: PeerInfo[] = []
  let left = choices
  count(choices, lookups, 1)

  for (;;) {
    const [peer, most] = lookups.largest()

    if (peer === undefined || most < least) {
      return covering
    }

    if (isSuitable(peer)) {
      const covered = left.filter((contacts) => contacts.includes(peer))
      left = left.filter((contacts) => !contacts.includes(peer))
      count(covered, lookups, -1)
      covering.push(peer)
    } else {
      lookups.add(peer, -most)
    }
  }
}

/** Counts the lookups that may query each peer. */
function count(
  choices: readonly (readonly PeerInfo[])[],
  lookups: Tally<PeerInfo>,
  by: 1 | -1
): void {
  for (const contacts of choices) {
    for (const contact of contacts) {
      lookups.add(contact, by)
    }
  }
}
