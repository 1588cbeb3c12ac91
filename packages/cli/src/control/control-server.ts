import { once } from 'node:events'
import { lstat, rm } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import process from 'node:process'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { DHT } from '@waggle/dht'
import { CommandError } from '../errors.ts'
import { type Handle, listenerOf, send } from '../http/answers.ts'
import { respondWithValues } from '../http/values.ts'
import { entriesOf } from '../text/entry-lines.ts'
import { inspectionJson } from '../text/inspection-json.ts'
import { type Json, line } from '../text/json.ts'
import { parseKey } from '../text/value-text.ts'
import { DashboardSource, type DashboardSourceInit } from './dashboard-source.ts'
import { searchRecords } from './held-records.ts'
import { overviewOf } from './overview.ts'

const MAX_RECORDS_SHOWN = 1000

/** Longest search for the replicas of a key, in ms. */
const INSPECT_TIMEOUT_MS = 10_000

/** Mask of the permissions of files of this user only. */
const OWN_ONLY = 0o077

/** The response of a path. */
type Read = (query: URLSearchParams, signal: AbortSignal) => Promise<unknown>

/**
 * Serves the state of the node on a socket that only this user's processes can open. `/overview` is for `stats`
 * and `top`, `/records` for `export`, and `/dashboard`, `/history`, `/search`, `/inspect` and `/v1/…` are for the
 * dashboard.
 *
 * @throws CommandError if the path is that of another file
 */
export async function startControl(
  path: string,
  init: DashboardSourceInit
): Promise<AsyncDisposable> {
  await removeSocket(path)
  const source = new DashboardSource(init)
  const server = createServer(listenerOf(handlerOf(init, source)))
  await listen(server, path)

  return {
    async [Symbol.asyncDispose]() {
      source[Symbol.dispose]()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(path, { force: true })
    }
  }
}

function handlerOf(init: DashboardSourceInit, source: DashboardSource): Handle {
  const { dht } = init
  const reads: ReadonlyMap<string, Read> = new Map<string, Read>([
    ['/overview', (query) => overviewOf(init, countIn(query))],
    ['/dashboard', () => source.state()],
    ['/history', async () => source.samples],
    ['/search', (query) => searchRecords(dht, query.get('key') ?? '', countIn(query))],
    ['/inspect', (query, signal) => inspect(dht, query.get('key') ?? '', signal)]
  ])

  return async (message, response, signal) => {
    const { pathname, searchParams } = new URL(message.url ?? '', 'http://control')

    if (pathname === '/records') {
      await sendRecords(dht, response)
      return
    }

    const read = reads.get(pathname)

    if (read === undefined) {
      await respondWithValues(dht, message, response, signal)
    } else {
      send(response, 200, (await read(searchParams, signal)) as Json)
    }
  }
}

function countIn(query: URLSearchParams): number {
  const wanted = Number(query.get('records') ?? 0)
  return Math.min(Math.max(Math.trunc(wanted) || 0, 0), MAX_RECORDS_SHOWN)
}

async function inspect(dht: DHT, text: string, signal: AbortSignal): Promise<Json> {
  const key = parseKey(text)
  return inspectionJson(key, await dht.inspect(key, { signal, timeoutMs: INSPECT_TIMEOUT_MS }))
}

async function sendRecords(dht: DHT, response: ServerResponse): Promise<void> {
  response.setHeader('content-type', 'application/jsonl')
  await pipeline(Readable.from(recordLines(dht)), response)
}

function* recordLines(dht: DHT): Generator<string, void, undefined> {
  for (const held of dht.heldRecords()) {
    for (const entry of entriesOf(held)) {
      yield `${line(entry)}\n`
    }
  }
}

/** Removes the socket of a node that was killed. */
async function removeSocket(path: string): Promise<void> {
  const file = await lstat(path).catch(() => undefined)

  if (file?.isSocket() === false) {
    throw new CommandError(`--control: ${path} is a file, not a socket: choose another path`)
  }

  await rm(path, { force: true })
}

async function listen(server: Server, path: string): Promise<void> {
  // The socket is created within the call, so nobody else can ever open it.
  const mask = process.umask(OWN_ONLY)
  server.listen(path)
  process.umask(mask)
  await once(server, 'listening')
  // Accepting fails while the process has too many open files (EMFILE). It works again once some are closed.
  server.on('error', () => {})
}
