import { nearestNames } from '@waggle/record/replica'

/** Words of other tools, and the commands that do the same here. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  store: ['put', 'set', 'add', 'write', 'publish', 'save'],
  get: ['read', 'fetch', 'find', 'lookup', 'show', 'cat'],
  delete: ['rm', 'del', 'remove', 'unset', 'erase'],
  watch: ['subscribe', 'follow', 'listen'],
  serve: ['start', 'run', 'node', 'server', 'daemon', 'up'],
  peers: ['ls', 'list', 'nodes'],
  stats: ['status', 'info'],
  id: ['whoami', 'keygen', 'peerid'],
  import: ['load', 'restore'],
  export: ['dump', 'backup']
}

/** Finds the intended command: a word may be a misspelling of it, or another tool's name for it. */
export function suggestion(word: string, commands: readonly string[]): string | undefined {
  // Commands come first, so that they win ties.
  const known = [
    ...commands.map((command) => ({ command, name: command })),
    ...commands.flatMap((command) => (SYNONYMS[command] ?? []).map((name) => ({ command, name })))
  ]
  const [nearest] = nearestNames(
    word,
    known.map(({ name }) => name)
  )
  return known.find(({ name }) => name === nearest)?.command
}
