import type { PeerInfo } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { MAX_TURNS } from '../../src/wire/dial-turns.ts'
import { Dialer, type PeerPolicy } from '../../src/wire/dialer.ts'
import { MAX_DIALLED_ADDRESSES, OPEN_TIMEOUT_MS } from '../../src/wire/limits.ts'
import { contact } from '../support/exchange-serving.ts'
import { welcomingPeers } from '../support/protocol-asker.ts'

const PROTOCOL = '/test/1.0.0'
const REQUEST_TIMEOUT_MS = 3000
const peer = contact(1)
const refusal = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })

afterEach(() => {
  vi.restoreAllMocks()
})

interface Dialling {
  readonly dialer: Dialer
  readonly openConnection: ReturnType<typeof vi.fn>
  readonly openStream: ReturnType<typeof vi.fn>
}

function dialling(
  peers: Partial<PeerPolicy> = {},
  connectionManager: Partial<Record<keyof ConnectionManager, unknown>> = {}
): Dialling {
  const openConnection = vi.fn(async () => ({}))
  const openStream = vi.fn(async () => ({}))
  const manager = { getConnections: () => [], openConnection, openStream, ...connectionManager }
  const dialer = new Dialer({
    self: contact(99).id,
    connectionManager: manager as unknown as ConnectionManager,
    peers: welcomingPeers(peers),
    requestTimeoutMs: REQUEST_TIMEOUT_MS
  })
  return { dialer, openConnection, openStream }
}

describe('Dialer', () => {
  it('dials a peer by the addresses that it was named with, and opens a stream', async () => {
    const { dialer, openConnection, openStream } = dialling()
    await dialer.openStream(peer, PROTOCOL)

    const [addresses] = openConnection.mock.calls[0] as unknown as [unknown[]]
    expect(addresses.map(String)).toEqual([`${peer.multiaddrs[0]}/p2p/${peer.id}`])
    expect(openStream.mock.calls[0]?.slice(0, 2)).toEqual([peer.id, PROTOCOL])
  })

  it('dials no peer that is banned, and opens no stream to it (N9c)', async () => {
    const { dialer, openConnection, openStream } = dialling({ isBanned: () => true })

    await expect(dialer.openStream(peer, PROTOCOL)).rejects.toThrow('is banned')
    await expect(dialer.connect(peer, { task: 'probe' })).rejects.toThrow('is banned')
    expect(openConnection).not.toHaveBeenCalled()
    expect(openStream).not.toHaveBeenCalled()
  })

  it('lets a dial wait for the rate of dials, and then says that it is busy (N9h)', async () => {
    const mayDial = vi.fn(() => false)
    const { dialer, openConnection } = dialling({ mayDial })
    const named = contact(2, ['/ip4/10.0.0.1/tcp/1', '/ip4/10.0.0.2/tcp/1'])
    const dialled = dialer.connect(named, { task: 'probe' })
    await vi.waitFor(() => expect(mayDial).toHaveBeenCalledTimes(2))
    expect(mayDial).toHaveBeenLastCalledWith(named.id, 2)
    mayDial.mockReturnValueOnce(true)
    await dialled
    expect(openConnection).toHaveBeenCalledOnce()

    const startMs = performance.now()
    await expect(dialer.openStream(named, PROTOCOL)).rejects.toMatchObject({ name: 'BusyError' })
    expect(performance.now() - startMs).toBeGreaterThan(REQUEST_TIMEOUT_MS / 4)
    expect(openConnection).toHaveBeenCalledOnce()
  })

  it('lets the dials that others need have their turns while some wait for the rate (N9h, N12)', async () => {
    // No turn ends by itself.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })

    try {
      const named = Array.from({ length: 2 * MAX_TURNS }, (_, i) => contact(i + 2))
      let isAllowed = false
      const { dialer, openConnection } = dialling({ mayDial: (id) => isAllowed || id === peer.id })
      const dials = named.map((each) => dialer.connect(each, { task: 'kad' }))
      await dialer.connect(peer, { task: 'kad' })
      expect(openConnection).toHaveBeenCalledOnce()

      isAllowed = true
      await Promise.all(dials)
      expect(openConnection).toHaveBeenCalledTimes(1 + named.length)
    } finally {
      vi.useRealTimers()
    }
  })

  it('lets bulk wait for the rate behind single requests (N9h, N12)', async () => {
    const asked: PeerInfo['id'][] = []
    const mayDial = (id: PeerInfo['id']): boolean => {
      asked.push(id)
      return false
    }
    const { dialer } = dialling({ mayDial })
    const [bulk, single] = [contact(2), contact(3)]
    const dials = [
      dialer.openStream(single, PROTOCOL),
      dialer.openStream(bulk, PROTOCOL, { isBulk: () => true })
    ]

    for (const outcome of await Promise.allSettled(dials)) {
      expect(outcome).toMatchObject({ reason: { name: 'BusyError' } })
    }

    expect(asked.filter((id) => id === single.id).length).toBeGreaterThan(5)
    expect(asked.filter((id) => id === bulk.id).length).toBeLessThan(5)
  })

  it('asks before each attempt whether only bulk waits for a stream (N12)', async () => {
    const openConnection = vi.fn().mockRejectedValueOnce(refusal).mockResolvedValue({})
    const { dialer } = dialling({}, { openConnection })
    const isBulk = vi.fn(() => true)
    await dialer.openStream(peer, PROTOCOL, { isBulk })
    expect(openConnection).toHaveBeenCalledTimes(2)
    expect(isBulk).toHaveBeenCalledTimes(2)
  })

  it('makes no dial that nobody waits for when its turn comes, nor one to a peer that has connected (N12)', async () => {
    const connections: PromiseWithResolvers<object>[] = []
    const openConnection = (): Promise<object> => {
      connections.push(Promise.withResolvers())
      return connections.at(-1)?.promise as Promise<object>
    }
    const connected = contact(3)
    let isConnected = false
    const { dialer } = dialling(
      {},
      {
        openConnection,
        getConnections: (id: PeerInfo['id']) =>
          isConnected && id.equals(connected.id) ? [{ status: 'open' }] : []
      }
    )
    const others = Array.from({ length: MAX_TURNS }, (_, i) => contact(i + 4))
    const dials = others.map((each) => dialer.connect(each, { task: 'probe' }))
    let isWanted = true
    const unwanted = dialer.openStream(contact(2), PROTOCOL, { isWanted: () => isWanted })
    const needless = dialer.connect(connected, { task: 'probe' })
    await vi.waitFor(() => expect(connections).toHaveLength(MAX_TURNS))
    isWanted = false
    isConnected = true

    for (const { resolve } of connections) {
      resolve({})
    }

    await expect(unwanted).rejects.toMatchObject({ name: 'AbortError' })
    await needless
    await Promise.all(dials)
    expect(connections).toHaveLength(MAX_TURNS)
    expect(dialer.dialsByTask).toEqual({ probe: MAX_TURNS })
  })

  it('asks for a place in the rate of dials when the turn of a dial has come (N9h, N12)', async () => {
    const mayDial = vi.fn(() => true)
    const connections: PromiseWithResolvers<object>[] = []
    const openConnection = (): Promise<object> => {
      const connection = Promise.withResolvers<object>()
      connections.push(connection)
      return connection.promise
    }
    const { dialer } = dialling({ mayDial }, { openConnection })
    const peers = Array.from({ length: 4 * MAX_TURNS }, (_, i) => contact(i + 2))
    const dials = peers.map((each) => dialer.connect(each, { task: 'probe' }))
    await vi.waitFor(() => expect(connections.length).toBeGreaterThanOrEqual(MAX_TURNS))
    expect(connections.length).toBeLessThan(peers.length)

    for (let ended = 0; ended < peers.length; ended++) {
      await vi.waitFor(() => expect(connections.length).toBeGreaterThan(ended))
      expect(mayDial).toHaveBeenCalledTimes(connections.length)
      connections[ended]?.resolve({})
    }

    await Promise.all(dials)
  })

  it('counts a host name as all the addresses that it may have (N9h)', async () => {
    const mayDial = vi.fn(() => true)
    const { dialer } = dialling({ mayDial })
    const named = contact(2, ['/ip4/10.0.0.1/tcp/1', '/dns4/bees.example/tcp/1'])
    await dialer.openStream(named, PROTOCOL)
    expect(mayDial).toHaveBeenCalledExactlyOnceWith(named.id, 1 + MAX_DIALLED_ADDRESSES)
  })

  it('leaves a place to others while a peer that refused waits to be asked again (N10d)', async () => {
    const openConnection = vi.fn().mockRejectedValueOnce(refusal).mockResolvedValueOnce({})
    const { dialer } = dialling({}, { openConnection })
    const turns: string[] = []
    await dialer.connect(peer, {
      task: 'neighbours',
      runLimited: async (attempt) => {
        turns.push('begins')
        await attempt().finally(() => turns.push('ends'))
      }
    })

    expect(turns).toEqual(['begins', 'ends', 'begins', 'ends'])
    expect(openConnection).toHaveBeenCalledTimes(2)
  })

  it('records whether a peer was reached, whatever it speaks', async () => {
    const dials: [PeerInfo, boolean][] = []
    const recordDial = (dialled: PeerInfo, isReached: boolean): void => {
      dials.push([dialled, isReached])
    }
    const fails = async (): Promise<never> => {
      throw new Error('no')
    }
    const reached = dialling({ recordDial }, { openStream: fails })
    await expect(reached.dialer.openStream(peer, PROTOCOL)).rejects.toThrow('no')
    const missed = dialling({ recordDial }, { openConnection: fails })
    await expect(missed.dialer.openStream(contact(2), PROTOCOL)).rejects.toThrow('no')

    expect(dials.map(([, isReached]) => isReached)).toEqual([true, false])
  })

  it('gives up opening a stream after its own time, however long others would wait (N8d)', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })

    try {
      const openConnection = vi.fn(
        (_: unknown, { signal }: { signal: AbortSignal }) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      )
      const { dialer } = dialling({}, { openConnection })
      const opened = expect(dialer.openStream(peer, PROTOCOL)).rejects.toThrow('no answer within')
      await vi.advanceTimersByTimeAsync(OPEN_TIMEOUT_MS - 1)
      expect(openConnection.mock.calls[0]?.[1].signal.aborted).toBe(false)
      await vi.advanceTimersByTimeAsync(1)
      await opened
    } finally {
      vi.useRealTimers()
    }
  })

  it('counts dials by the task that needed the peer, and none to peers that are connected (N10g)', async () => {
    const { dialer } = dialling()
    await dialer.openStream(peer, '/waggle/watch/2.0.0')
    await dialer.connect(contact(2), { task: 'probe' })
    await dialer.connect(contact(3), { task: 'probe' })
    expect(dialer.dialsByTask).toEqual({ watch: 1, probe: 2 })
    expect(dialer.dials).toBe(3)
    const isOpen = { getConnections: () => [{ status: 'open' }] }
    const connected = dialling({}, isOpen).dialer
    await connected.connect(peer, { task: 'probe' })
    expect(connected.dialsByTask).toEqual({})
  })
})
