import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { bootstrapHint, isFinal } from '../../src/join/bootstrap-hints.ts'

const address = multiaddr('/ip4/127.0.0.1/tcp/4001')

describe('the advice about an initial peer', () => {
  it('blames no firewall for a peer that is connected and silent, which may answer later (N8g)', () => {
    const error = new Error('the peer is connected and did not identify itself within 10000 ms')

    expect(bootstrapHint({ address, error })).toMatch(/accepts connections and does not respond/)
    expect(isFinal({ address, error })).toBe(false)
  })

  it('names what may be on the path of one that does not answer at all (N8g)', () => {
    const error = new Error('no answer within 10000 ms')

    expect(bootstrapHint({ address, error })).toMatch(/firewalls/)
  })
})
