import type { IncomingMessage } from 'node:http'
import type { Value } from '@waggle/record'
import { DEFAULT_LIMITS } from '@waggle/record/replica'
import { utf8 } from '../text/utf8.ts'
import { parseValue } from '../text/value-text.ts'
import { HttpError } from './http-error.ts'

/** Bytes of the longest body: a value as JSON may take several times its encoded size. */
const MAX_BODY_BYTES = 16 * DEFAULT_LIMITS.maxValueBytes

/** Reads the value in a body. The content type selects bytes, text, or JSON as on the command line. */
export async function valueIn(request: IncomingMessage): Promise<Value> {
  const bytes = await bytesIn(request)
  const [type] = (request.headers['content-type'] ?? '').split(';')

  if (type === 'application/octet-stream') {
    return bytes
  }

  const text = utf8(bytes)

  if (text === undefined) {
    throw new HttpError(
      400,
      'bad-request',
      'the body is not UTF-8 text: for bytes, send content-type: application/octet-stream'
    )
  }

  return type === 'text/plain' ? text : jsonValue(text)
}

/** Parses a body, all of which must be JSON: an unquoted word is more likely a mistake than text. */
function jsonValue(text: string): Value {
  try {
    JSON.parse(text)
  } catch (error) {
    throw new HttpError(
      400,
      'bad-request',
      `the body is not JSON: ${(error as Error).message}. For text, send content-type: text/plain`
    )
  }

  return parseValue(text, 'the body')
}

async function bytesIn(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0

  for await (const part of request) {
    parts.push(part)
    length += part.length

    if (length > MAX_BODY_BYTES) {
      throw new HttpError(
        413,
        'too-large',
        `the value is too large: a value takes up to ${DEFAULT_LIMITS.maxValueBytes} bytes`
      )
    }
  }

  return new Uint8Array(Buffer.concat(parts))
}
