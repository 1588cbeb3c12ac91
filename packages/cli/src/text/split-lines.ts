import { CommandError } from '../errors.ts'
import { utf8 } from './utf8.ts'

/** Bytes of the longest line: more than the largest record takes as JSON. */
const MAX_LINE_BYTES: number = 32 * 1024 * 1024

const LINE_FEED = 0x0a
const BYTE_ORDER_MARK = '\ufeff'

/**
 * Splits UTF-8 text at line feeds with or without a preceding carriage return. Node's `readline` also splits at
 * U+2028 and U+2029, which strings in JSON may contain. Skips a byte order mark. Yields undefined for a line that
 * is not UTF-8.
 *
 * @throws CommandError for a line without an end
 */
export async function* splitLines(
  input: AsyncIterable<Uint8Array>
): AsyncGenerator<string | undefined, void, undefined> {
  let parts: Uint8Array[] = []
  let length = 0
  let lineNumber = 1

  for await (const bytes of input) {
    let start = 0

    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      yield lineOf([...parts, bytes.subarray(start, end)], lineNumber)
      parts = []
      length = 0
      lineNumber++
      start = end + 1
    }

    parts.push(bytes.subarray(start))
    length += bytes.length - start

    if (length > MAX_LINE_BYTES) {
      throw new CommandError(
        `line ${lineNumber} has more than ${MAX_LINE_BYTES} bytes: is this a text file?`
      )
    }
  }

  if (length > 0) {
    yield lineOf(parts, lineNumber)
  }
}

function lineOf(parts: readonly Uint8Array[], lineNumber: number): string | undefined {
  const text = utf8(Buffer.concat(parts))?.replace(/\r$/, '')
  return lineNumber === 1 && text?.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text
}
