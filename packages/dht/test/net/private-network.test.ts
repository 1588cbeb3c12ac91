import { BootstrapError, DHT, type DHTOptions } from '@waggle/dht'
import { describe, expect, it } from 'vitest'
import { rejection } from '../support/rejection.ts'

function keyOf(digits: string): string {
  return `/key/swarm/psk/1.0.0/\n/base16/\n${digits.repeat(32)}\n`
}

describe('swarmKey', () => {
  it('lets those who have it make a network', async () => {
    await using first = await DHT.create({ swarmKey: keyOf('a1') })
    await using second = await DHT.create({
      swarmKey: new TextEncoder().encode(keyOf('a1')),
      initialPeers: first.multiaddrs
    })

    expect(await first.store('key', 'secret', { ttl: 600 })).toBe(true)
    expect(await second.get('key', { latest: true })).toMatchObject({ value: 'secret' })
  })

  const bootstrapTimeoutMs = 1000
  const others: [string, DHTOptions, DHTOptions][] = [
    ['another key', { swarmKey: keyOf('a1') }, { swarmKey: keyOf('b2') }],
    ['none', { swarmKey: keyOf('a1') }, {}],
    ['one that the others lack', {}, { swarmKey: keyOf('a1') }]
  ]

  it.each(others)(
    'keeps out a node that has %s, and says what to check (N8g)',
    async (_, of, given) => {
      await using member = await DHT.create(of)
      const initialPeers = member.multiaddrs
      const error = await rejection(DHT.create({ ...given, initialPeers, bootstrapTimeoutMs }))

      expect(error).toBeInstanceOf(BootstrapError)
      expect((error as BootstrapError).attempts[0]?.check).toContain('the same swarmKey')
      expect(error.message).toContain('the same swarmKey')
      expect(member.peers).toEqual([])
    }
  )
})
