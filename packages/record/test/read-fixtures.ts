import { readFileSync } from 'node:fs'

/** Reads a file of fixtures/. In a browser, another module takes the place of this one. */
export function readFixtures<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8'))
}
