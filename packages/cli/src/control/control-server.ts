import { chmod, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { DHT } from '@waggle/dht'
import { entriesOf } from '../text/entry-lines.ts'
import { line } from '../text/json.ts'
import { type OverviewInit, overviewOf } from './overview.ts'

const MAX_RECORDS_SHOWN = 1000

/**
 * Serves the state of the node on a socket that only this user's processes can open:
 * `GET /overview?records=20` as JSON and `GET /records` as JSON lines.
 */
export async function startControl(path: string, init: OverviewInit): Promise<AsyncDisposable> {
  await rm(path, { force: true })
  const server = createServer((request, response) => {
    answer(init, request, response).catch((error) => response.destroy(error))
  })
  await listen(server, path)
  await chmod(path, 0o600)

  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(path, { force: true })
    }
  }
}

async function answer(
  init: OverviewInit,
  { url = '' }: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  const { pathname, searchParams } = new URL(url, 'http://control')

  if (pathname === '/overview') {
    const wanted = Number(searchParams.get('records') ?? 0)
    const count = Math.min(Math.max(Math.trunc(wanted) || 0, 0), MAX_RECORDS_SHOWN)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(await overviewOf(init, count)))
  } else if (pathname === '/records') {
    response.setHeader('content-type', 'application/jsonl')
    await pipeline(Readable.from(recordLines(init.dht)), response)
  } else {
    response.statusCode = 404
    response.end()
  }
}

function* recordLines(dht: DHT): Generator<string, void, undefined> {
  for (const held of dht.heldRecords()) {
    for (const entry of entriesOf(held)) {
      yield `${line(entry)}\n`
    }
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
}
