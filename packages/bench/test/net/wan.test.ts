import { describe, expect, it } from 'vitest'
import { bareRoundTripMs, serveEcho } from '../../src/scenarios/wan/bare-round-trip.ts'
import { distantNode } from '../../src/scenarios/wan/distant-node.ts'
import { wan } from '../../src/scenarios/wan/wan.ts'
import { column, QUICK_MS, quickRun } from '../support/quick-run.ts'

describe('wan', { timeout: QUICK_MS }, () => {
  it('measures all operations, each of them right', async () => {
    const { tables } = await quickRun(wan)
    const [warm, cold, atOnce] = tables

    expect(column(warm, 'operation')).toEqual([
      'get',
      'get latest',
      'get, nothing there',
      'store',
      'getMany(20)',
      'storeMany(20)'
    ])
    expect(column(warm, 'right')).toEqual([
      '3 of 3',
      '1 of 1',
      '1 of 1',
      '3 of 3',
      '1 of 1',
      '1 of 1'
    ])
    expect(column(cold, 'operation')).toEqual(['create', 'get'])
    expect(column(atOnce, 'found')).toEqual(column(atOnce, 'of'))

    // No answer is there before it has come the whole way.
    for (const ms of column(warm, 'p50')) {
      expect(ms).toBeGreaterThanOrEqual(50)
    }
  })
})

describe('distantNode', () => {
  it('hears of what is sent there and back after both delays', async () => {
    await using near = await distantNode(100, {})
    await serveEcho(near.libp2p)
    const initialPeers = near.multiaddrs
    await using far = await distantNode(100, { initialPeers })

    expect(await bareRoundTripMs(far.libp2p, { count: 3 })).toBeGreaterThanOrEqual(200)
  })
})
