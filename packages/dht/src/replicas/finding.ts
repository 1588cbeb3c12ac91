import { SEARCH_WIDTH } from '../constants.ts'
import type { Contact, FindOptions, FindReply, RecordChannel, Wanted } from '../interface.ts'
import type { Lookup } from '../lookup/lookups.ts'
import type { Search } from '../lookup/search.ts'

export interface FindingInit {
  readonly channel: RecordChannel
  readonly search: Search
  readonly key: Uint8Array
  readonly wanted: Wanted

  /** Whether all replicas are asked at once, and for nearer peers whatever they hold. */
  readonly latest: boolean
  readonly numReplicas: number

  /** How many near peers each one asked is to name. */
  readonly closerCount: number

  /** Takes in an answer; undefined: the peer failed, as the error says. True if that is enough. */
  readonly take: (contact: Contact, answer: FindReply | undefined, error?: Error) => boolean
}

/** Asks one peer after the other for any answer, all at once for the latest. */
export class Finding implements Lookup<FindReply> {
  readonly search: Search
  readonly wanted: Wanted
  readonly parallelism: number
  readonly isHedged: boolean
  readonly take: FindingInit['take']
  readonly #channel: RecordChannel
  readonly #key: Uint8Array
  readonly #closerCount: number

  constructor(init: FindingInit) {
    this.search = init.search
    this.wanted = init.wanted
    this.parallelism = init.latest ? init.numReplicas : 1
    this.isHedged = !init.latest
    this.take = init.take
    this.#channel = init.channel
    this.#key = init.key
    this.#closerCount = Math.min(init.closerCount, SEARCH_WIDTH)
  }

  ask(contact: Contact, request: Wanted): Promise<FindReply> {
    const options: FindOptions = {
      closerCount: this.#closerCount,
      isCloserAlways: !this.isHedged,
      request
    }
    return this.#channel.find(contact, this.#key, options)
  }
}
