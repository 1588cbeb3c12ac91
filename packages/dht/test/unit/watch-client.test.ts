import { encodeRecord, recordKey } from '@waggle/record'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RecordStore } from '../../src/store/record-store.ts'
import { WatchClient, type WatchReply } from '../../src/watch/watch-client.ts'
import { WATCH, type WatchMessage } from '../../src/watch/watch-messages.ts'
import { MAX_UNCHECKED_RECORDS } from '../../src/wire/limits.ts'
import { Mailbox } from '../support/exchange-mailbox.ts'
import { contact, NOW, recordOf } from '../support/exchange-serving.ts'
import { useStreamSource } from '../support/exchange-streams.ts'
import { Talker } from '../support/exchange-talker.ts'
import { manualClock } from '../support/manual-clock.ts'
import { clientParts } from '../support/protocol-asker.ts'
import { silentLog } from '../support/silent-log.ts'

const KEY = recordKey('key')

const source = useStreamSource()
let talker: Talker<WatchMessage>
let client: WatchClient
let changes: number

/** Settles the running checks. */
let checks: Mailbox<() => void>

beforeEach(async () => {
  const [mine, theirs] = await source.open()
  talker = new Talker<WatchMessage>(theirs, WATCH)
  changes = 0
  checks = new Mailbox()
  const validate = (): Promise<boolean> =>
    new Promise((resolve) => checks.push(() => resolve(true)))
  client = new WatchClient({
    ...clientParts(async () => mine),
    log: silentLog,
    store: new RecordStore({ clock: manualClock(NOW), validators: [{ validate }] }),
    records: {} as never,
    onChange: () => changes++,
    onLost: () => {}
  })
})

afterEach(() => client.close())

function watch(key: Uint8Array): Promise<WatchReply> {
  return client.watch(
    contact(1),
    { key },
    {
      ...{ digest: new Uint8Array(), closerCount: 0, role: 'prompt' as const },
      cancellation: { isCancelled: false }
    }
  )
}

/** Answers one key. */
function answer(record?: Uint8Array): void {
  const known = { state: 'watched' as const, closer: [] }
  const answers = [record === undefined ? known : { ...known, record }]
  talker.say({ name: 'watched', peers: [], answers })
}

async function settleNext(): Promise<void> {
  const settle = await checks.next()
  settle()
}

describe('WatchClient', () => {
  it('checks only so many changes of a peer at once (N9e)', async () => {
    const watched = watch(KEY)
    await talker.hear('watch')
    answer()
    await watched

    const told = Array.from({ length: 4 * MAX_UNCHECKED_RECORDS }, (_, i) =>
      encodeRecord(recordOf(`${i}`))
    )
    talker.say(...told.map((record) => ({ name: 'changed' as const, key: KEY, record })))
    await expect.poll(() => checks.size).toBeGreaterThan(0)
    expect(checks.size).toBe(MAX_UNCHECKED_RECORDS)

    for (const _ of told) {
      await settleNext()
    }

    await expect.poll(() => changes).toBe(told.length)
  })

  it('takes in no further answers while so many are checked (N9e)', async () => {
    const keys = Array.from({ length: MAX_UNCHECKED_RECORDS + 2 }, (_, i) => recordKey(i))
    const watched = keys.map(watch)

    for (let i = 1; i <= MAX_UNCHECKED_RECORDS; i++) {
      await talker.hear('watch')
      answer(encodeRecord(recordOf('value')))
      await expect.poll(() => checks.size).toBe(i)
    }

    await talker.hear('watch')
    answer(encodeRecord(recordOf('value')))
    // Comes by the same connection, behind the answer.
    await source.open()
    expect(checks.size).toBe(MAX_UNCHECKED_RECORDS)

    await settleNext()
    await talker.hear('watch')
    answer()

    for (let i = 0; i < MAX_UNCHECKED_RECORDS; i++) {
      await settleNext()
    }

    expect(await Promise.all(watched)).toHaveLength(keys.length)
  })
})
