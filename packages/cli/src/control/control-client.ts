import { type IncomingMessage, type RequestOptions, request, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { CommandError } from '../errors.ts'
import { HttpError } from '../http/http-error.ts'
import type { CommandIO } from '../io.ts'
import { type LocalPortOptions, localPort } from '../network/local-ports.ts'
import { splitLines } from '../text/split-lines.ts'
import { controlPaths } from './control-path.ts'
import type { Overview } from './overview.ts'

export interface ControlOptions {
  readonly control?: string
  readonly node?: string
}

export function addControlOptions(command: Command): Command {
  return command
    .option('--node <start>', 'a node of this machine, by its process ID or the end of its peer ID')
    .option('--control <socket>', 'socket of a node that was started with --control')
}

/** Longest wait for a node's figures, in ms. A node that a debugger or SIGSTOP holds up never answers. */
const ANSWER_TIMEOUT_MS = 5000

/** A running node of this machine that responds on its socket. */
export interface ControlledNode {
  readonly path: string
  readonly overview: Overview
}

/**
 * Finds the node of this machine that the options select. Without `--node` and `--control`, considers the nodes
 * with the same `--local-port`.
 *
 * @throws CommandError when there is none, or when several match
 */
export async function controlledNode(
  options: ControlOptions & LocalPortOptions,
  io: Pick<CommandIO, 'env'>
): Promise<ControlledNode> {
  const { control } = options
  const first = localPort(options, io)
  const paths = control === undefined ? await controlPaths() : [control]
  const all = (await Promise.all(paths.map(reached))).filter((one) => one !== undefined)
  const selected = all.filter(({ overview }) => isSelected(overview, options, first))
  const [found, second] = selected

  if (found === undefined) {
    throw new CommandError(noNodeMessage(options, first, all))
  }

  if (second !== undefined) {
    throw new CommandError(
      `${selected.length} nodes run on this machine; choose one with --node: ${list(selected)}`
    )
  }

  return found
}

/** Reads the current state of a node. */
export async function overviewAt(path: string, records: number): Promise<Overview> {
  return jsonAt(path, `/overview?records=${records}`)
}

/**
 * Reads the JSON of one of a node's paths.
 *
 * @throws HttpError if the node does not answer in time
 */
export async function jsonAt<T>(socketPath: string, path: string): Promise<T> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
  const answer = await answerOf({ socketPath, path, signal })
  return JSON.parse(
    await text(answer).catch(() => {
      throw gone()
    })
  )
}

/** Forwards an authorized client's request to a node's socket. */
export async function forward(
  socketPath: string,
  message: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  const { method, url, headers } = message
  const type = headers['content-type']
  const asked = request({
    ...{ socketPath, method, path: url },
    headers: { ...(type !== undefined && { 'content-type': type }) }
  })
  response.once('close', () => asked.destroy())
  const answered = Promise.withResolvers<IncomingMessage>()
  asked.once('response', answered.resolve).on('error', () => answered.reject(gone()))
  message.pipe(asked)
  const answer = await answered.promise
  response.writeHead(answer.statusCode ?? 502, {
    'content-type': answer.headers['content-type'],
    'cache-control': 'no-store'
  })
  response.flushHeaders()
  await pipeline(answer, response)
}

/** Reads all records of a node, as JSON lines. */
export async function* recordLinesAt(path: string): AsyncGenerator<string, void, undefined> {
  const response = await answerOf({ socketPath: path, path: '/records' })

  for await (const text of splitLines(response)) {
    yield text as string
  }

  if (!response.complete) {
    throw new CommandError('the node stopped before the export was complete')
  }
}

/** Connects to a socket; undefined if no process answers. A killed node leaves its socket behind. */
async function reached(path: string): Promise<ControlledNode | undefined> {
  return overviewAt(path, 0).then(
    (overview) => ({ path, overview }),
    () => undefined
  )
}

function answerOf(options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(options, resolve)
      .on('error', () => reject(gone()))
      .end()
  })
}

function gone(): HttpError {
  return new HttpError(503, 'unreachable', 'the node does not answer: it may have stopped')
}

function isSelected(overview: Overview, { control, node }: ControlOptions, first: number): boolean {
  const { pid, peerId, localPort } = overview

  if (node !== undefined) {
    return String(pid) === node || peerId.endsWith(node)
  }

  return control !== undefined || localPort === first
}

function noNodeMessage(
  { control, node }: ControlOptions,
  first: number,
  others: readonly ControlledNode[]
): string {
  if (others.length > 0) {
    const what = node === undefined ? `has --local-port ${first}` : `matches --node ${node}`
    return `no node on this machine ${what}. Running: ${list(others)}`
  }

  return control === undefined
    ? 'no node of this user runs on this machine. Start one with: waggle serve'
    : `no node answers on ${control}: check the path, and check that the node was started with --control ${control}`
}

function list(nodes: readonly ControlledNode[]): string {
  return nodes
    .map(
      ({ overview: { pid, addresses, localPort } }) =>
        `${pid} (${addresses[0] ?? 'a client'}, --local-port ${localPort})`
    )
    .join(', ')
}
