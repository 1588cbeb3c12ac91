import type { Stream } from '@libp2p/interface'
import { pbStream } from '@libp2p/utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { GuardedStream, type StreamGuard } from '../../src/door/guarded-stream.ts'
import { delimited, messagesUpTo, piecesUpTo } from '../../src/door/units.ts'
import { type ConnectionPair, connectionPair } from '../support/connection-pair.ts'
import { PATIENCE } from '../support/libp2p-node.ts'

const MAX_BYTES = 200_000
const PLAIN = { read: (bytes: Uint8Array) => bytes.slice(), write: (bytes: Uint8Array) => bytes }
const CODEC = {
  decode: (bytes: { subarray(): Uint8Array }) => PLAIN.read(bytes.subarray()),
  encode: PLAIN.write
}

describe('GuardedStream', () => {
  let pair: ConnectionPair
  let near: Stream
  let inner: Stream
  let guarded: GuardedStream
  let turns: (() => void)[]
  let faults: Error[]

  beforeEach(async () => {
    pair = await connectionPair({ near: 'ours', far: 'ours' })
    turns = []
    faults = []
  })

  afterEach(() => pair?.[Symbol.asyncDispose]())

  async function open(guard: StreamGuard): Promise<void> {
    const [sent, stream] = await pair.open()
    near = sent
    inner = stream
    guarded = new GuardedStream({
      ...{ stream, guard },
      turn: (task) => turns.push(task),
      onBacklog: () => {},
      onFault: (error) => faults.push(error)
    })
  }

  async function takeTurns(): Promise<void> {
    await vi.waitUntil(() => turns.length > 0, PATIENCE)
    turns.shift()?.()
  }

  it('gives on one message in each turn, and none before (N13a)', async () => {
    await open({ cut: messagesUpTo(MAX_BYTES) })
    const seen: number[] = []
    guarded.addEventListener('message', ({ data }) => seen.push(data.byteLength))
    near.send(Buffer.concat([1, 2, 3].map((size) => delimited(new Uint8Array(size)))))

    for (const expected of [[2], [2, 3], [2, 3, 4]]) {
      await takeTurns()
      expect(seen).toEqual(expected)
    }
  })

  it('counts the memory of each piece that is not read, however small it is (N13b)', async () => {
    await open({ cut: messagesUpTo(MAX_BYTES) })
    near.send(delimited(new Uint8Array(100_000)))
    await vi.waitUntil(() => inner.readStatus === 'paused', PATIENCE)
    const beforeBytes = guarded.bufferedBytes

    for (let i = 0; i < 1000; i++) {
      near.send(Uint8Array.of(0))
    }

    await vi.waitUntil(() => inner.readBufferLength >= 1000, PATIENCE)
    expect(guarded.bufferedBytes - beforeBytes).toBeGreaterThan(100_000)
  })

  it('changes what libp2p sees of a message, and ends the stream for one that may not be', async () => {
    await open({
      cut: messagesUpTo(MAX_BYTES),
      receive(message) {
        if (message.length > 3) {
          throw new Error('not served here')
        }

        return message.map((byte) => byte + 1)
      }
    })
    const messages = pbStream(guarded).pb(CODEC as never)
    near.send(delimited(Uint8Array.of(1, 2)))
    const read = messages.read()
    await takeTurns()
    expect(await read).toEqual(Uint8Array.of(2, 3))

    near.send(delimited(new Uint8Array(4)))
    await takeTurns()
    expect(faults.map(({ message }) => message)).toEqual(['not served here'])
    expect(guarded.status).toBe('aborted')
  })

  it('says that the other side has ended only when all that came has been given on', async () => {
    await open({ cut: piecesUpTo(4) })
    const chunks: Uint8Array[] = []
    const reading = (async () => {
      for await (const chunk of guarded) {
        chunks.push(chunk.subarray().slice())
      }
    })()
    near.send(Uint8Array.of(1, 2, 3, 4, 5, 6))
    await near.close()
    await takeTurns()
    await takeTurns()
    await reading
    expect(Buffer.concat(chunks)).toEqual(Buffer.of(1, 2, 3, 4, 5, 6))
  })

  it('takes in no more than so much while nothing is given on (N13b)', async () => {
    await open({ cut: piecesUpTo(1024) })
    const piece = new Uint8Array(64 * 1024)

    for (let sent = 0; sent < 64 && near.send(piece); sent++);

    await vi.waitUntil(() => near.writableNeedsDrain, PATIENCE)
    expect(guarded.bufferedBytes).toBeLessThan(5 * 1024 * 1024)
    guarded.abort(new Error('enough'))
    expect(guarded.bufferedBytes).toBe(0)
  })

  it('knows since when a message is unfinished, and how much of it there is (N13b)', async () => {
    await open({ cut: messagesUpTo(MAX_BYTES) })
    near.send(delimited(new Uint8Array(100_000)).subarray(0, 60_000))
    await vi.waitUntil(() => guarded.bufferedBytes === 60_000, PATIENCE)
    expect(guarded.stuckSinceMs).toBeDefined()
    expect(turns).toEqual([])
  })

  it('refuses a message that is too large before it has come (N13b)', async () => {
    await open({ cut: messagesUpTo(MAX_BYTES) })
    near.send(delimited(new Uint8Array(MAX_BYTES + 1)).subarray(0, 10))
    await vi.waitUntil(() => faults.length === 1, PATIENCE)
    expect(guarded.status).toBe('aborted')
  })

  it('ends with the stream under it, from either side', async () => {
    await open({ cut: piecesUpTo(4) })
    near.abort(new Error('enough'))
    await vi.waitUntil(() => guarded.status !== 'open', PATIENCE)
  })
})
