import type { HivemindEntry, SubkeyText } from './record.ts'

/** One write to one place. */
export interface HivemindWrite extends HivemindEntry {
  /** Undefined: under the key itself. */
  readonly subkey: SubkeyText | undefined
}
