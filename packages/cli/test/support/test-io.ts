import { Readable, Writable } from 'node:stream'
import type { CommandIO } from '../../src/io.ts'

interface TestIOInit {
  readonly env?: CommandIO['env']

  /** Takes the lines that the command writes. */
  readonly written?: string[]
}

/** Makes the surroundings of a command: a terminal without input. */
export function testIO({ env = {}, written = [] }: TestIOInit = {}): CommandIO {
  const terminal = Object.assign(new Writable(), { isTTY: true, columns: 80 })
  const write = (line: string): void => {
    written.push(line)
  }
  return {
    out: write,
    err: write,
    signal: new AbortController().signal,
    stdin: Readable.from([]),
    stdout: terminal,
    stderr: terminal,
    env
  }
}
