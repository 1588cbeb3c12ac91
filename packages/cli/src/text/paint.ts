import { styleText } from 'node:util'
import type { CommandIO } from '../io.ts'

/** The meanings that have a colour. */
export type Tone = 'good' | 'bad' | 'faint' | 'name' | 'strong'

const STYLES = {
  good: 'green',
  bad: 'red',
  faint: 'gray',
  name: 'cyan',
  strong: 'bold'
} as const

export type Paint = (tone: Tone, text: string) => string

/** Returns the colours for a stream: none unless it is a terminal, and none if NO_COLOR is set. */
export function paintFor(io: CommandIO, stream: 'stdout' | 'stderr'): Paint {
  return isColourful(io, stream)
    ? (tone, text) => styleText(STYLES[tone], text, { validateStream: false })
    : (_tone, text) => text
}

/** See https://no-color.org: any value of the variable except the empty one disables colours. */
export function isColourful(io: CommandIO, stream: 'stdout' | 'stderr'): boolean {
  const { NO_COLOR = '', TERM } = io.env
  const isForbidden = NO_COLOR !== '' || TERM === 'dumb'
  return io[stream].isTTY === true && !isForbidden
}
