import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it, vi } from 'vitest'
import {
  PENDING_MS,
  type PendingConnection,
  PendingConnections
} from '../../src/node/pending-connections.ts'
import { hostOf } from '../../src/peers/host-of.ts'

interface Fake extends PendingConnection {
  readonly isAborted: () => boolean
}

function connectionFrom(address: string): Fake {
  let isAborted = false
  const listeners = new Set<() => void>()
  return {
    remoteAddr: multiaddr(address) as Multiaddr,
    isAborted: () => isAborted,
    addEventListener: (_: string, listener: unknown) => listeners.add(listener as () => void),
    removeEventListener: (_: string, listener: unknown) => listeners.delete(listener as () => void),
    abort() {
      isAborted = true
      for (const listener of listeners) {
        listener()
      }
    }
  } as unknown as Fake
}

function addAll(pending: PendingConnections, connections: readonly Fake[]): void {
  for (const connection of connections) {
    pending.add(connection)
  }
}

describe('PendingConnections', () => {
  it('gives a host all places that nobody else needs (N13e)', () => {
    const pending = new PendingConnections(4)
    const own = Array.from({ length: 4 }, (_, i) => connectionFrom(`/ip4/1.1.1.1/tcp/${i + 1}`))
    addAll(pending, own)
    expect(own.map((one) => one.isAborted())).toEqual([false, false, false, false])
  })

  it('takes the oldest place of the host that has most when there is none left (N13e)', () => {
    const pending = new PendingConnections(4)
    const busy = Array.from({ length: 3 }, (_, i) => connectionFrom(`/ip4/1.1.1.1/tcp/${i + 1}`))
    const others = ['/ip4/2.2.2.2/tcp/1', '/ip4/3.3.3.3/tcp/1'].map(connectionFrom)
    addAll(pending, [...busy, ...others])

    expect(busy.map((one) => one.isAborted())).toEqual([true, false, false])
    expect(others.map((one) => one.isAborted())).toEqual([false, false])
    expect(pending.size).toBe(4)
  })

  it('gives a place back when a connection is set up, or ends', () => {
    const pending = new PendingConnections(2)
    const [a, b] = ['/ip4/1.1.1.1/tcp/1', '/ip4/1.1.1.1/tcp/2'].map(connectionFrom) as [Fake, Fake]
    pending.add(a)
    pending.add(b)
    pending.delete(a)
    b.abort(new Error('gone'))
    expect(pending.size).toBe(0)
  })

  it('ends connections that are not set up in time, and no others (N13e)', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })

    try {
      const pending = new PendingConnections()
      const [silent, ready] = ['/ip4/1.1.1.1/tcp/1', '/ip4/1.1.1.1/tcp/2'].map(connectionFrom)
      // The transport and the gater each add a connection.
      addAll(pending, [silent, ready, silent, ready] as Fake[])
      vi.advanceTimersByTime(PENDING_MS - 1)
      expect([silent?.isAborted(), ready?.isAborted()]).toEqual([false, false])
      pending.delete(ready as Fake)
      vi.advanceTimersByTime(2 * PENDING_MS)
      expect([silent?.isAborted(), ready?.isAborted(), pending.size]).toEqual([true, false, 0])
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('hostOf', () => {
  it.each([
    ['/ip4/1.2.3.4/tcp/1', '1.2.3.4'],
    ['/ip6/2001:db8:1:2:3:4:5:6/tcp/1', '2001:db8:1:2'],
    ['/ip6/2001:db8::1/tcp/1', '2001:db8:0:0'],
    ['/ip6/::1/tcp/1', '0:0:0:0'],
    ['/ip6/::ffff:1.2.3.4/tcp/1', '102:304'],
    ['/ip6zone/eth0/ip6/2001:db8::1/tcp/1', '2001:db8:0:0'],
    ['/dns4/example.com/tcp/1', 'example.com']
  ])('of %s is %s', (address, host) => {
    expect(hostOf(multiaddr(address))).toBe(host)
  })
})
