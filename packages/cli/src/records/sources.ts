import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { DHT } from '@waggle/dht'
import type { Key } from '@waggle/record'
import type { Context } from '../context.ts'
import { type ControlOptions, controlledNode, recordLinesAt } from '../control/control-client.ts'
import { CommandError } from '../errors.ts'
import { joinedClient } from '../network/client.ts'
import type { NetworkOptions } from '../network/network-options.ts'
import { entriesOf } from '../text/entry-lines.ts'
import { type Json, line } from '../text/json.ts'
import { jsonOf, parseKey } from '../text/value-text.ts'
import { batches } from './batches.ts'
import { entriesFound, type ImportedEntry } from './entry-line.ts'
import { type TextLines, textLines } from './text-lines.ts'

/** The options that name a source: keys of the network, the directory of a stopped node, or a running node. */
export type SourceOptions = NetworkOptions &
  ControlOptions & {
    readonly keysFrom?: string
    readonly dataDir?: string
  }

/** A source of records. */
export interface Source extends AsyncDisposable {
  readonly lines: AsyncIterable<string> | Iterable<string>

  /** Returns the progress from 0 to 1, if it is known. */
  fraction(): number | undefined

  /** Counts the keys that were not found. */
  missing(): number
}

/** Opens the source that the options name. */
export async function sourceOf(
  context: Context,
  options: SourceOptions,
  keys: readonly string[]
): Promise<Source> {
  const { dataDir, keysFrom } = options

  if (dataDir !== undefined) {
    return stoppedNode(dataDir)
  }

  if (keysFrom === undefined && keys.length === 0) {
    return runningNode(context, options)
  }

  const lines = keysFrom === undefined ? listed(keys) : await textLines(keysFrom, context.io.stdin)
  return network(await joinedClient(options, context.io), lines, context.io.signal)
}

async function runningNode({ io }: Context, options: SourceOptions): Promise<Source> {
  const { path, overview } = await controlledNode(options, io)
  const { records } = overview.stats
  let count = 0

  async function* counted(): AsyncGenerator<string> {
    for await (const text of recordLinesAt(path)) {
      count++
      yield text
    }
  }

  return {
    lines: counted(),
    fraction: () => (records === 0 ? 1 : Math.min(count / records, 1)),
    missing: () => 0,
    async [Symbol.asyncDispose]() {}
  }
}

/**
 * Opens the directory as the node itself does, but connects to no peer.
 *
 * @throws CommandError for a directory that no node has used, because opening it would create one
 */
async function stoppedNode(dataDir: string): Promise<Source> {
  await access(join(dataDir, 'records')).catch(() => {
    throw new CommandError(
      `--data-dir: ${dataDir} is not the data directory of a node: it has no folder "records"`
    )
  })
  const [{ DHT }, { generateKeyPair }] = await Promise.all([
    import('@waggle/dht'),
    import('@libp2p/crypto/keys')
  ])
  const dht = await DHT.create({
    dataDir,
    // A temporary key, so that no key is written into the directory of a node that keeps its identity elsewhere.
    privateKey: await generateKeyPair('Ed25519'),
    clientMode: true,
    libp2pOptions: { connectionGater: { denyDialPeer: () => true } }
  })
  const { records } = dht.stats()
  let count = 0

  function* held(): Generator<string> {
    for (const record of dht.heldRecords()) {
      count++
      yield* Array.from(entriesOf(record), line)
    }
  }

  return {
    lines: held(),
    fraction: () => (records === 0 ? 1 : count / records),
    missing: () => 0,
    [Symbol.asyncDispose]: () => dht[Symbol.asyncDispose]()
  }
}

function network(dht: DHT, keys: TextLines, signal: AbortSignal): Source {
  let missing = 0

  async function* read(): AsyncGenerator<string> {
    for await (const batch of batches(keyTexts(keys), ({ length }) => length)) {
      const parsed = batch.map((text) => parseKey(text))
      const found = await dht.getMany(parsed, { latest: true, signal, timeoutMs: BATCH_TIMEOUT_MS })

      for (const [i, one] of found.entries()) {
        missing += Number(one === undefined)
        yield* one === undefined ? [] : Array.from(entriesFound(parsed[i] as Key, one), entryText)
      }
    }
  }

  return {
    lines: read(),
    fraction: () => keys.fraction,
    missing: () => missing,
    [Symbol.asyncDispose]: () => dht[Symbol.asyncDispose]()
  }
}

async function* keyTexts(lines: TextLines): AsyncGenerator<string> {
  for await (const text of lines) {
    if (text === undefined) {
      throw new CommandError(`--keys-from: line ${lines.lineNumber} is not UTF-8 text`)
    }

    yield text
  }
}

/** Milliseconds allowed for a whole batch: enough for slow peers. */
const BATCH_TIMEOUT_MS = 120_000

function entryText({ key, subkey, value, expirationTime }: ImportedEntry): string {
  const place: Json = { key: jsonOf(key), ...(subkey !== undefined && { subkey: jsonOf(subkey) }) }
  return line({ ...place, value: value === undefined ? null : jsonOf(value), expirationTime })
}

function listed(keys: readonly string[]): TextLines {
  return {
    fraction: undefined,
    lineNumber: 0,
    async *[Symbol.asyncIterator]() {
      yield* keys
    }
  }
}
