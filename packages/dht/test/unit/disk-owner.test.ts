import { MemoryDatastore } from 'datastore-core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { OWNER_CHECK_MS } from '../../src/persistence/disk-owner.ts'
import { openPersistence, type Persistence } from '../../src/persistence/persistence.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { silentLog } from '../support/silent-log.ts'

describe('two nodes on one datastore', () => {
  let warnings: string[]

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    warnings = []
    vi.spyOn(process, 'emitWarning').mockImplementation((message) => {
      warnings.push(String(message))
    })
  })

  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  it('tell the one that started first, once', async () => {
    const datastore = new MemoryDatastore()
    const told: number[] = []
    const open = async (node: number): Promise<Persistence | undefined> =>
      openPersistence({
        datastore,
        store: new RecordStore(),
        logger: { forComponent: () => silentLog },
        onShared: () => told.push(node)
      })
    const first = await open(1)
    await vi.advanceTimersByTimeAsync(OWNER_CHECK_MS)
    expect(told).toEqual([])
    const second = await open(2)
    await vi.advanceTimersByTimeAsync(3 * OWNER_CHECK_MS)

    expect(told).toEqual([1])
    expect(warnings).toEqual([expect.stringContaining('another node uses the same datastore')])
    await first?.close()
    await second?.close()
  })

  it('are told of no more after they were closed', async () => {
    const datastore = new MemoryDatastore()
    const onShared = vi.fn()
    const logger = { forComponent: () => silentLog }
    const first = await openPersistence({ datastore, store: new RecordStore(), logger, onShared })
    await first?.close()
    const second = await openPersistence({ datastore, store: new RecordStore(), logger, onShared })
    await vi.advanceTimersByTimeAsync(3 * OWNER_CHECK_MS)
    expect(onShared).not.toHaveBeenCalled()
    await second?.close()
  })
})
