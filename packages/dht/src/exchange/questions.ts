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

export type Question = FindQuestion | StoreQuestion

/** What it adds to a message, or nearly so. */
export function sizeOf(question: Question): number {
  return question.key.length + (question.name === 'store' ? question.record.length : 0)
}
