import type { CommandIO } from './io.ts'
import { type Json, line } from './text/json.ts'
import { type Paint, paintFor } from './text/paint.ts'

/** What a command has while it runs. */
export interface Context {
  readonly io: CommandIO
  readonly isJson: boolean

  /** Paints what goes to the standard output. */
  readonly paint: Paint

  /** Answers, for people or for programs. */
  answer(answer: Answer): void

  /** Tells people how it went, beside the answer. */
  note(text: string): void
}

/** The same twice; an answer without text is for programs only. */
export interface Answer {
  readonly json: Json
  readonly text?: string
}

export function contextOf(io: CommandIO, isJson: boolean): Context {
  const noted = paintFor(io, 'stderr')
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
        io.err(noted('faint', text))
      }
    }
  }
}
