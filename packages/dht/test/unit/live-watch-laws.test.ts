import { isDeepStrictEqual } from 'node:util'
import type { Found } from '@waggle/dht'
import type { Change, Watch } from '@waggle/dht/handles'
import {
  type DHTRecord,
  plainRecord,
  type Subkey,
  subkeyRecord,
  tombstoneRecord,
  type Value
} from '@waggle/record'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { law } from '../support/effort.ts'
import { WatchScene } from '../support/watch-scene.ts'

const subkey = fc.constantFrom('a', 'b', undefined)
const seconds = fc.integer({ min: 1, max: 30 })

interface Write {
  readonly kind: 'write'
  readonly subkey: string | undefined

  /** The value; undefined: a deletion. */
  readonly value?: number
  readonly seconds: number
}

/** `by`: which follower takes. */
type Step =
  | Write
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'take'; readonly by: number }

/** Followers of one key, whose watches share what they can. */
const FOLLOWERS = 3

/** Milliseconds after which everything written has expired. */
const AFTER_ALL_MS = 40_000

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), subkey, value: fc.nat(1), seconds }),
  fc.record({ kind: fc.constant('write' as const), subkey, seconds }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1000, 6000) }),
  fc.record({ kind: fc.constant('take' as const), by: fc.nat(FOLLOWERS - 1) })
)

type Entries = Map<Subkey | undefined, Found<Value>>

function entriesOf(found: Found | undefined): Entries {
  return found?.value instanceof Map
    ? new Map(found.value)
    : new Map(found && [[undefined, found as Found<Value>]])
}

type AnyChange = Change<Subkey | undefined, Value, true>

/** A loop that rebuilds the state from changes alone. */
class Follower {
  readonly entries: Entries = new Map()
  readonly #watch: Watch<Found | undefined, Subkey | undefined, Value, true>
  #events = 0
  #pending: Promise<void> | undefined

  constructor(scene: WatchScene) {
    this.#watch = scene.watching({ renewals: true })
  }

  /** Whether it waits for an event. */
  get isWaiting(): boolean {
    return this.#pending !== undefined
  }

  /** Whether it has received everything. */
  get isDone(): boolean {
    return this.#events > 0 && this.entries.size === 0
  }

  async take(): Promise<void> {
    this.#pending ??= this.#next()
    await this.#pending
  }

  async #next(): Promise<void> {
    const { value } = await this.#watch.next()
    this.#pending = undefined

    if (value !== undefined) {
      expect(this.#events++ === 0 || value.changes.length > 0).toBe(true)
      value.changes.forEach((change) => {
        this.#follow(change)
      })
      expect(this.entries).toEqual(entriesOf(value.current))
    }
  }

  #follow(change: AnyChange): void {
    const { subkey } = change
    expect(this.entries.get(subkey)).toEqual('before' in change ? change.before : undefined)

    if ('found' in change && 'before' in change) {
      const isSame = isDeepStrictEqual(change.found.value, change.before.value)
      expect(change.type).toBe(isSame ? 'renewed' : 'changed')
    }

    if (change.type === 'removed') {
      this.entries.delete(subkey)
    } else {
      this.entries.set(subkey, change.found)
    }
  }
}

function writeOf({ subkey, value, seconds }: Write, now: number): DHTRecord {
  const expirationTime = now + seconds

  if (value === undefined) {
    return tombstoneRecord(expirationTime, { subkey })
  }

  return subkey === undefined
    ? plainRecord([value], expirationTime)
    : subkeyRecord(subkey, [value], expirationTime)
}

async function act(step: Step, scene: WatchScene, followers: readonly Follower[]): Promise<void> {
  if (step.kind === 'take') {
    void followers[step.by]?.take()
  } else if (step.kind === 'pass') {
    await scene.pass(step.ms)
  } else {
    scene.write([0], writeOf(step, scene.net.clock.time))
  }
}

describe('a loop that takes events whenever it likes', () => {
  it('gets from what it had to what there is by the changes of each event', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        using scene = new WatchScene()
        const followers = Array.from({ length: FOLLOWERS }, () => new Follower(scene))

        for (const each of steps) {
          await act(each, scene, followers)
          await scene.pass(100)
        }

        await scene.pass(AFTER_ALL_MS)

        for (const follower of followers) {
          if (!follower.isWaiting && !follower.isDone) {
            void follower.take()
            await scene.pass(500)
          }
        }

        const taken = new Set(steps.flatMap((each) => (each.kind === 'take' ? [each.by] : [])))
        followers.forEach((follower, i) => {
          expect(follower.isDone || !taken.has(i)).toBe(true)
          expect(follower.entries.size).toBe(0)
        })
      }),
      law(150)
    )
  })
})
