import type { Found } from '@waggle/dht'
import { Mailbox } from './exchange-mailbox.ts'

type Delivered = Found | undefined

/** A loop over what is watched, that takes all that comes at once, and how it ended. */
export interface Collected {
  /** What has been delivered and was not taken yet. */
  readonly unread: number

  /** What was delivered next, as soon as something is. */
  next(): Promise<Delivered>

  /** The next value alone. */
  nextValue(): Promise<unknown>

  /** Resolves when the loop has ended; rejects with what it threw. */
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
