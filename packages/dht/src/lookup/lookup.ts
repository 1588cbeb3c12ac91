import type { AbortOptions } from '@libp2p/interface'
import { SEARCH_PARALLELISM } from '../constants.ts'
import { anySignal } from '../deadline.ts'
import { toError } from '../errors.ts'
import type { Contact, FindReply } from '../interface.ts'
import type { Search } from './search.ts'

export type LookupEvent =
  | { name: 'answer'; contact: Contact; reply: FindReply }
  | { name: 'failure'; contact: Contact; error: Error }

/** Asks one peer; rejects when it gives no answer. */
export type AskPeer = (contact: Contact, options: AbortOptions) => Promise<FindReply>

/**
 * Runs a search until it is done, a few requests at a time, and says what peers answer as it
 * comes. Stopping the loop ends the requests that are under way.
 */
export async function* lookup(
  search: Search,
  ask: AskPeer,
  options: AbortOptions = {}
): AsyncGenerator<LookupEvent, void, undefined> {
  const stop = new AbortController()
  const signal = anySignal(options.signal, stop.signal)
  const underWay = new Map<Contact, Promise<LookupEvent>>()

  try {
    while (true) {
      options.signal?.throwIfAborted()
      fill(underWay, search, (contact) => outcome(contact, ask(contact, { signal })))

      if (underWay.size === 0) {
        return
      }

      const event = await Promise.race(underWay.values())
      options.signal?.throwIfAborted()
      underWay.delete(event.contact)
      settle(search, event)
      yield event
    }
  } finally {
    stop.abort()
  }
}

function fill(
  underWay: Map<Contact, Promise<LookupEvent>>,
  search: Search,
  start: (contact: Contact) => Promise<LookupEvent>
): void {
  while (underWay.size < SEARCH_PARALLELISM) {
    const contact = search.next()

    if (contact === undefined) {
      return
    }

    underWay.set(contact, start(contact))
  }
}

async function outcome(contact: Contact, asked: Promise<FindReply>): Promise<LookupEvent> {
  try {
    return { name: 'answer', contact, reply: await asked }
  } catch (error) {
    return { name: 'failure', contact, error: toError(error) }
  }
}

function settle(search: Search, event: LookupEvent): void {
  if (event.name === 'answer') {
    search.answered(event.contact, event.reply.closer)
  } else {
    search.failed(event.contact)
  }
}
