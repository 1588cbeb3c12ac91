import type { CommandIO } from './io.ts'
import { type Json, line } from './text/json.ts'
import { type Paint, paintFor } from './text/paint.ts'

/** The environment of a running command. */
export interface Context {
  readonly io: CommandIO
  readonly isJson: boolean

  /** Colours text for the standard output. */
  readonly paint: Paint

  /** Prints a result, as text or as JSON. */
  answer(answer: Answer): void

  /** Prints a note for people on the standard error. */
  note(text: string): void
}

/** One result in both forms. A result without text is printed with --json only. */
export interface Answer {
  readonly json: Json
  readonly text?: string
}

export function contextOf(io: CommandIO, isJson: boolean): Context {
  return {
    io,
    isJson,
    paint: isJson ? (_tone, text) => text : paintFor(io, 'stdout'),
    answer({ json, text }) {
      if (isJson) {
        io.out(line(json))
      } else if (text !== undefined) {
        io.out(text)
      }
    },
    note(text) {
      if (!isJson) {
        io.err(paintFor(io, 'stderr')('faint', text))
      }
    }
  }
}
