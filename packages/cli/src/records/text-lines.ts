import { createReadStream, type ReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { CommandError, toError } from '../errors.ts'
import { splitLines } from '../text/split-lines.ts'

/**
 * The lines of a file or of the standard input, without blank ones, and the progress of reading. A line
 * that is not UTF-8 is undefined.
 */
export interface TextLines extends AsyncIterable<string | undefined> {
  /** From 0 to 1; undefined where the length is unknown. */
  readonly fraction: number | undefined

  /** The number of the line that was read last, from 1. Blank lines count. */
  readonly lineNumber: number
}

/** The file name that means the standard input. */
export const STANDARD_INPUT = '-'

/** @throws CommandError when there is no such file */
export async function textLines(path: string, stdin: Readable): Promise<TextLines> {
  if (path === STANDARD_INPUT) {
    return linesOf(stdin, () => undefined)
  }

  const sizeBytes = await stat(path).then(
    ({ size }) => size,
    (error) => {
      throw new CommandError(`can't read ${path}: ${toError(error).message}`)
    }
  )
  const file: ReadStream = createReadStream(path)
  return linesOf(file, () => (sizeBytes === 0 ? 1 : file.bytesRead / sizeBytes))
}

function linesOf(input: Readable, fractionOf: () => number | undefined): TextLines {
  let lineNumber = 0

  return {
    get fraction() {
      return fractionOf()
    },
    get lineNumber() {
      return lineNumber
    },
    async *[Symbol.asyncIterator]() {
      for await (const line of splitLines(input)) {
        lineNumber++

        if (line?.trim() !== '') {
          yield line
        }
      }
    }
  }
}
