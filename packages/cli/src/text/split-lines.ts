import { CommandError } from '../errors.ts'

/** Characters of the longest line: more than the largest record takes as JSON. */
const MAX_LINE_CHARACTERS: number = 32 * 1024 * 1024

/**
 * Splits UTF-8 text at line feeds, after which a carriage return may have come. Node's `readline`
 * also splits at U+2028 and U+2029, which strings in JSON may contain. Skips a byte order mark.
 *
 * @throws CommandError for a line without an end
 */
export async function* splitLines(
  input: AsyncIterable<Uint8Array>
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder()
  let parts: string[] = []
  let length = 0
  let lineNumber = 1

  for await (const bytes of input) {
    const [first = '', ...others] = decoder.decode(bytes, { stream: true }).split('\n')
    parts.push(first)
    length += first.length

    for (const next of others) {
      yield lineOf(parts)
      parts = [next]
      length = next.length
      lineNumber++
    }

    if (length > MAX_LINE_CHARACTERS) {
      throw new CommandError(
        `line ${lineNumber} has more than ${MAX_LINE_CHARACTERS} characters: is this a text file?`
      )
    }
  }

  const last = lineOf([...parts, decoder.decode()])

  if (last !== '') {
    yield last
  }
}

function lineOf(parts: readonly string[]): string {
  const line = parts.join('')
  return line.endsWith('\r') ? line.slice(0, -1) : line
}
