import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { MAX_REMEMBERED_PEERS, RememberedPeers } from '../../src/join/remembered-peers.ts'
import { peerNumber } from '../support/numbered-peers.ts'

/** Makes a memory that outlives its users. */
function memory(saved: readonly string[] = []) {
  const state = { saved, saves: 0, isBroken: false }
  return {
    state,
    load: async () => state.saved,
    save: async (addresses: readonly string[]) => {
      state.saves++

      if (state.isBroken) {
        throw new Error('the disk is full')
      }

      state.saved = addresses
    }
  }
}

function addressOf(n: number, port = 1337): string {
  return `/ip4/10.0.0.1/tcp/${port}/p2p/${peerNumber(n)}`
}

async function remembered(kept = memory()): Promise<RememberedPeers> {
  const peers = new RememberedPeers(kept)
  await peers.load()
  return peers
}

describe('RememberedPeers', () => {
  it('has those that were of use last in front, over a restart, too', async () => {
    const kept = memory()
    const peers = await remembered(kept)

    for (const n of [1, 2, 3, 1]) {
      peers.remember(peerNumber(n), [multiaddr('/ip4/10.0.0.1/tcp/1337')])
    }

    await peers.flush()
    expect(kept.state.saved).toEqual([addressOf(1), addressOf(3), addressOf(2)])
    expect((await remembered(kept)).all).toEqual(peers.all)
  })

  it('keeps several addresses of one peer, in their order', async () => {
    const kept = memory([addressOf(1, 1), addressOf(1, 2), addressOf(2, 3)])
    const peers = await remembered(kept)

    expect(peers.all.map(([id]) => id)).toEqual([1, 2].map((n) => peerNumber(n).toString()))
    expect(peers.addressesOf(peerNumber(1).toString()).map(String)).toEqual([
      addressOf(1, 1),
      addressOf(1, 2)
    ])
  })

  it('forgets those that were of use longest ago', async () => {
    const peers = await remembered()

    for (let n = 0; n < MAX_REMEMBERED_PEERS + 10; n++) {
      peers.remember(peerNumber(n), [multiaddr('/ip4/10.0.0.1/tcp/1337')])
    }

    expect(peers.all).toHaveLength(MAX_REMEMBERED_PEERS)
    expect(peers.addressesOf(peerNumber(9).toString())).toEqual([])
    expect(peers.addressesOf(peerNumber(10).toString())).toHaveLength(1)
  })

  it('saves what changes during a save all at once, after it', async () => {
    const kept = memory()
    const peers = await remembered(kept)

    for (let n = 0; n < 20; n++) {
      peers.remember(peerNumber(n), [multiaddr('/ip4/10.0.0.1/tcp/1337')])
    }

    await peers.flush()
    expect(kept.state.saved).toHaveLength(20)
    expect(kept.state.saves).toBe(2)
  })

  it('passes over what can not be used (N9a)', async () => {
    const garbage = ['', 'bees', '/ip4/10.0.0.1/tcp/1337', '/ip4/10.0.0.1/tcp/1/p2p/bee', 5, null]
    const peers = await remembered(memory([...(garbage as string[]), addressOf(1)]))

    expect(peers.all).toHaveLength(1)
  })

  it('does without a memory that fails', async () => {
    const kept = memory()
    kept.state.isBroken = true
    const peers = await remembered(kept)
    peers.remember(peerNumber(1), [multiaddr('/ip4/10.0.0.1/tcp/1337')])
    await peers.flush()

    expect(peers.all).toHaveLength(1)
  })
})
