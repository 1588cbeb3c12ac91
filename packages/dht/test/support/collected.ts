import type { Found } from '@waggle/dht'
import { Mailbox } from './exchange-mailbox.ts'

type Delivered = Found | undefined

/** A loop that takes each event of a watch at once, and the way it ended. */
export interface Collected {
  /** Delivered events that the test has not taken yet. */
  readonly unread: number

  /** Resolves with the next delivered event. */
  next(): Promise<Delivered>

  /** Resolves with the value of the next event. */
  nextValue(): Promise<unknown>

  /** Resolves when the loop has ended; rejects with the error that ended it. */
  readonly ended: Promise<void>
}

export function collected(watching: AsyncIterable<{ readonly current: Delivered }>): Collected {
  const mailbox = new Mailbox<{ readonly delivered: Delivered }>()
  const ended = (async () => {
    for await (const { current } of watching) {
      mailbox.push({ delivered: current })
    }
  })()
  ended.catch(() => {})

  return {
    get unread() {
      return mailbox.size
    },
    next: async () => (await mailbox.next()).delivered,
    nextValue: async () => (await mailbox.next()).delivered?.value,
    ended
  }
}
