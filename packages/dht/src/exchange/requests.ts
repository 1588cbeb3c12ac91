import type { FindRequest, StoreRequest } from './messages.ts'

/** What is asked about one key. */
export interface FindQuestion {
  readonly name: 'find'
  readonly key: Uint8Array
  readonly closerCount: number
  readonly isCloserAlways: boolean
}

/** A write to be held. */
export interface StoreQuestion {
  readonly name: 'store'
  readonly key: Uint8Array
  readonly record: Uint8Array
  readonly closerCount: number
  readonly isCopy: boolean
}

export type ExchangeRequest = FindQuestion | StoreQuestion

/** What it adds to a message, or nearly so. */
export function sizeOf(question: ExchangeRequest): number {
  return question.key.length + (question.name === 'store' ? question.record.length : 0)
}

/** Whether two questions can go in one message. */
export function isAlike(a: ExchangeRequest, b: ExchangeRequest): boolean {
  if (a.closerCount !== b.closerCount) {
    return false
  }

  return a.name === 'find'
    ? b.name === 'find' && a.isCloserAlways === b.isCloserAlways
    : b.name === 'store' && a.isCopy === b.isCopy
}

/** The message that asks questions which are alike. */
export function requestOf(
  id: number,
  questions: readonly ExchangeRequest[]
): FindRequest | StoreRequest {
  const [first] = questions

  if (first?.name === 'find') {
    const { closerCount, isCloserAlways } = first
    return { name: 'find', id, closerCount, isCloserAlways, keys: questions.map(({ key }) => key) }
  }

  const writes = questions.filter((question) => question.name === 'store')
  const { closerCount = 0, isCopy = false } = writes[0] ?? {}
  return { name: 'store', id, closerCount, isCopy, writes }
}
