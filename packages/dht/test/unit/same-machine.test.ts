import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { isSameMachine } from '../../src/transport/same-machine.ts'

describe('isSameMachine', () => {
  it.each([
    '/ip4/127.0.0.1/tcp/1',
    '/ip4/127.8.9.1/tcp/1',
    '/ip6/::1/tcp/1',
    '/ip6/::ffff:127.0.0.1/tcp/1'
  ])('takes %s for this machine (N13n)', (address) => {
    expect(isSameMachine(address)).toBe(true)
  })

  it('takes every address of its interfaces for this machine (N13n)', () => {
    const own = Object.values(networkInterfaces()).flatMap((interfaces) => interfaces ?? [])

    for (const { address, family } of own) {
      expect(isSameMachine(`/${family === 'IPv6' ? 'ip6' : 'ip4'}/${address}/tcp/1`)).toBe(true)
    }

    expect(own.length).toBeGreaterThan(0)
  })

  it.each(['/ip4/203.0.113.7/tcp/1', '/ip6/2001:db8::1/tcp/1', '/memory/1'])(
    'takes %s for another machine',
    (address) => {
      expect(isSameMachine(address)).toBe(false)
    }
  )
})
