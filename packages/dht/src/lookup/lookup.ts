import { AbortError, type AbortOptions } from '@libp2p/interface'
import { anySignal } from '../deadline.ts'
import { toError } from '../errors.ts'
import type { Contact } from '../interface.ts'
import type { Search } from './search.ts'

/** What any answer tells a search. */
export interface Answer {
  /** Peers that may be nearer. */
  readonly closer: readonly Contact[]
}

export type LookupEvent<A extends Answer> =
  | { name: 'answer'; contact: Contact; answer: A }
  | { name: 'failure'; contact: Contact; error: Error }

/** Asks one peer; rejects when it gives no answer. */
export type AskPeer<A extends Answer> = (contact: Contact, options: AbortOptions) => Promise<A>

export interface LookupOptions extends AbortOptions {
  /** How many peers are asked at once. Twice as many after each answer that did not end the search. */
  readonly parallelism: number

  /** After so long without an answer, one more peer is asked than `parallelism` allows. */
  readonly hedgeMs?: number | undefined
}

/**
 * Runs a search until it is done, a few requests at a time, and says what peers answer as it
 * comes. Stopping the loop ends the requests that are under way.
 */
export async function* lookup<A extends Answer>(
  search: Search,
  ask: AskPeer<A>,
  { signal, parallelism, hedgeMs }: LookupOptions
): AsyncGenerator<LookupEvent<A>, void, undefined> {
  const stop = new AbortController()
  const either = anySignal(signal, stop.signal)
  const underWay = new Map<Contact, Promise<LookupEvent<A>>>()
  let atOnce = parallelism

  try {
    while (true) {
      signal?.throwIfAborted()
      fill(underWay, atOnce, () => next(search, ask, either))

      if (underWay.size === 0) {
        return
      }

      const event = await firstOf(underWay.values(), hedgeMs)
      signal?.throwIfAborted()

      if (event === undefined) {
        atOnce++
        continue
      }

      underWay.delete(event.contact)
      settle(search, event)
      yield event
      atOnce *= 2
    }
  } finally {
    if (underWay.size > 0) {
      stop.abort(NO_LONGER_WANTED)
    }
  }
}

/** Made once: an error with its stack is dear on the path of every get. */
const NO_LONGER_WANTED = new AbortError('the search has ended')

function fill<A extends Answer>(
  underWay: Map<Contact, Promise<LookupEvent<A>>>,
  atOnce: number,
  start: () => [Contact, Promise<LookupEvent<A>>] | undefined
): void {
  while (underWay.size < atOnce) {
    const started = start()

    if (started === undefined) {
      return
    }

    underWay.set(...started)
  }
}

function next<A extends Answer>(
  search: Search,
  ask: AskPeer<A>,
  signal: AbortSignal
): [Contact, Promise<LookupEvent<A>>] | undefined {
  const contact = search.next()
  return contact && [contact, outcome(contact, ask(contact, { signal }))]
}

async function outcome<A extends Answer>(
  contact: Contact,
  asked: Promise<A>
): Promise<LookupEvent<A>> {
  try {
    return { name: 'answer', contact, answer: await asked }
  } catch (error) {
    return { name: 'failure', contact, error: toError(error) }
  }
}

/** The first of these to come; undefined if none does in time. */
async function firstOf<T>(
  promises: Iterable<Promise<T>>,
  withinMs: number | undefined
): Promise<T | undefined> {
  if (withinMs === undefined) {
    return Promise.race(promises)
  }

  const { promise: tooLate, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), withinMs)

  try {
    return await Promise.race([...promises, tooLate])
  } finally {
    clearTimeout(timer)
  }
}

function settle<A extends Answer>(search: Search, event: LookupEvent<A>): void {
  if (event.name === 'answer') {
    search.answered(event.contact, event.answer.closer)
  } else {
    search.failed(event.contact)
  }
}
