import { readFileSync } from 'node:fs'

/** Of this package: its manifest lies beside the folder that this file is in, as source and as bundle. */
export const VERSION: string = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8')
).version
