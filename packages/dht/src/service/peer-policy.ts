import type { PeerId, PeerInfo } from '@libp2p/interface'
import type { Avoidance } from '../peers/avoidance.ts'
import type { BanList } from '../peers/ban-list.ts'
import { DialAllowance } from '../peers/dial-limiter.ts'
import { ReferralReputation } from '../peers/referrals.ts'
import type { PeerPolicy } from '../wire/dialer.ts'

export interface PeerPolicyInit {
  readonly avoidance: Avoidance
  readonly bans: BanList

  /** Whether this node is connected to a peer or knows it otherwise than by referrals. */
  readonly isVerified: (peer: PeerId) => boolean
  readonly maxDialsPerSecond: number
}

/** What is known of peers, for all protocols. */
export class NodePeerPolicy implements PeerPolicy {
  readonly #init: PeerPolicyInit
  readonly #dials: DialAllowance
  readonly #referrals = new ReferralReputation()

  constructor(init: PeerPolicyInit) {
    this.#init = init
    this.#dials = new DialAllowance(init.maxDialsPerSecond)
  }

  isBanned(peer: PeerId): boolean {
    return this.#init.bans.has(peer)
  }

  mayDial(peer: PeerId, addressCount: number): boolean {
    return this.#init.isVerified(peer) || this.#dials.takes(addressCount)
  }

  recordDial(peer: PeerInfo, isReached: boolean): void {
    if (isReached || !this.#init.isVerified(peer.id)) {
      this.#referrals.tried(peer, isReached)
    }
  }

  recordReferral(peer: PeerInfo, referrer: PeerId): void {
    if (!this.#init.isVerified(peer.id)) {
      this.#referrals.named(peer, referrer)
    }
  }

  recordResponse(peer: PeerId): void {
    this.#init.avoidance.answered(peer)
  }

  ban(peer: PeerId, error: Error): void {
    this.#init.bans.ban(peer, error)
  }

  /** Whether a peer is to be asked after all others: it was not reached lately, or for who has named it. */
  isDoubtful(peer: PeerInfo): boolean {
    const isMissed = this.#referrals.isMissed(peer) && !this.#init.isVerified(peer.id)
    return isMissed || this.#referrals.isDoubtful(peer)
  }

  /** Takes note of a peer that has not answered. Returns true if that is held against its addresses only. */
  missed(peer: PeerInfo): boolean {
    const isUnverified = !this.#init.isVerified(peer.id)

    if (isUnverified) {
      this.#referrals.missed(peer)
    }

    return isUnverified
  }
}
