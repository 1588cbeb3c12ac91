import { readFileSync } from 'node:fs'

/** This package's version. The manifest is in the parent directory of this file, as source and as bundle. */
export const VERSION: string = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8')
).version
