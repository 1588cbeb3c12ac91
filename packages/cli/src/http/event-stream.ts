import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type Json, line } from '../text/json.ts'

/** Milliseconds between comments on an idle stream: proxies close connections that are idle for a minute. */
const HEARTBEAT_MS = 15_000

/** Writes server-sent events (HTML standard, section 9.2) until the source or the reader ends. */
export async function sendEvents(
  response: ServerResponse,
  events: AsyncIterable<Json>,
  signal: AbortSignal
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no'
  })
  response.flushHeaders()
  const heartbeat = setInterval(() => response.write(':\n\n'), HEARTBEAT_MS)

  try {
    for await (const event of events) {
      if (!response.write(`data: ${line(event)}\n\n`)) {
        await once(response, 'drain', { signal })
      }
    }
  } finally {
    clearInterval(heartbeat)
    response.end()
  }
}
