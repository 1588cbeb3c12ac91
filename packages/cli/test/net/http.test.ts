import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { text as outputOf } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { fences } from '../../../../scripts/docs/markdown.ts'
import { OPENAPI } from '../../src/http/openapi.ts'
import { type Served, served } from '../support/served.ts'
import { waggle } from '../support/waggle-process.ts'

const TOKEN = 'a token of sixteen or more'.replaceAll(' ', '-')
const DOCUMENT = fileURLToPath(new URL('../../../../docs/operations/openapi.json', import.meta.url))

/** Connections without a token that a node keeps. */
const MAX_STRANGERS = 64

interface Answered {
  readonly status: number
  readonly json: unknown
  readonly headers: Headers
}

let node: Served
let base: string

beforeAll(async () => {
  node = await served(['--http', '0'], { env: { WAGGLE_HTTP_TOKEN: TOKEN } })
  base = node.events().find(({ event }) => event === 'started')?.http?.url ?? ''
})

afterAll(() => node?.[Symbol.asyncDispose]())

async function request(
  method: string,
  path: string,
  { token = TOKEN, ...init }: RequestInit & { readonly token?: string } = {}
): Promise<Answered> {
  const headers = { ...(token && { authorization: `Bearer ${token}` }), ...init.headers }
  const response = await fetch(`${base}${path}`, { ...init, method, headers })
  const json: unknown = await response.json()
  assertDocumented(method, path, response.status, json)
  return { status: response.status, json, headers: response.headers }
}

interface Operation {
  readonly responses: Readonly<Record<string, { readonly content: Content }>>
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>
type Schema = Parameters<typeof z.fromJSONSchema>[0]
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>

/** Checks that the document says what comes, for each path that it has. */
function assertDocumented(method: string, path: string, status: number, json: unknown): void {
  const { paths } = OPENAPI as unknown as { readonly paths: Paths }
  const template = path.replace(/\?.*/, '').replace(/^(\/v1\/(?:keys|watch))\/[^/]+$/, '$1/{key}')
  const operation = paths[template]?.[method.toLowerCase()]

  if (operation === undefined) {
    expect([404, 405]).toContain(status)
    return
  }

  const response = operation.responses[status]
  expect(response, `${method} ${template} ${status}`).toBeDefined()
  const schema = response?.content['application/json']?.schema
  schema && whole(schema).parse(json)
}

function whole(schema: Schema): z.ZodType {
  const { components } = OPENAPI as unknown as { readonly components: { readonly schemas: object } }
  const text = JSON.stringify({ ...(schema as object), $defs: components.schemas })
  return z.fromJSONSchema(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')))
}

function put(path: string, body: string, type = 'application/json'): Promise<Answered> {
  return request('PUT', path, { body, headers: { 'content-type': type } })
}

describe('values over HTTP', () => {
  it('are stored, read and deleted', async () => {
    const { status, json } = await put('/v1/keys/greeting?ttl=10m', '{"hello": ["world", 1]}')
    expect({ status, json }).toMatchObject({ status: 200, json: { stored: true, key: 'greeting' } })
    expect(await request('GET', '/v1/keys/greeting')).toMatchObject({
      status: 200,
      json: { key: 'greeting', value: { hello: ['world', 1] } }
    })

    expect(await request('DELETE', '/v1/keys/greeting')).toMatchObject({ status: 200 })
    expect(await request('GET', '/v1/keys/greeting?latest=true')).toMatchObject({
      status: 404,
      json: { code: 'absent' }
    })
  })

  it('may be dictionaries, of which one place is read', async () => {
    await put('/v1/keys/rota?subkey=alice', '"yes"')
    await put('/v1/keys/rota?subkey=bob', '"no"')

    expect(await request('GET', '/v1/keys/rota?subkey=bob')).toMatchObject({
      json: { key: 'rota', subkey: 'bob', value: 'no' }
    })
    expect(await request('GET', '/v1/keys/rota?latest=true')).toMatchObject({
      json: { entries: expect.arrayContaining([expect.objectContaining({ subkey: 'alice' })]) }
    })
    expect(await request('DELETE', '/v1/keys/rota?subkey=bob')).toMatchObject({ status: 200 })
    expect(await request('GET', '/v1/keys/rota?subkey=bob&latest=true')).toMatchObject({
      status: 404
    })
  })

  it.each([
    ['"base64:AAH/"', 'application/json', 'base64:AAH/'],
    ['\0\x01', 'application/octet-stream', 'base64:AAE='],
    ['12345678901234567890', 'application/json', 'bigint:12345678901234567890'],
    ['{"not": JSON}', 'text/plain; charset=utf-8', '{"not": JSON}'],
    ['"ünïcode"', 'application/x-www-form-urlencoded', 'ünïcode']
  ])('are read as the command line reads them: %s, as %s', async (body, type, value) => {
    const key = encodeURIComponent(JSON.stringify(['a/b', body]))
    expect(await put(`/v1/keys/${key}`, body, type)).toMatchObject({ status: 200 })
    expect(await request('GET', `/v1/keys/${key}`)).toMatchObject({
      json: { key: ['a/b', expect.anything()], value }
    })
  })

  it('are those that other nodes and commands have', async () => {
    await waggle(['store', 'shared', '5', '--initial-peers', node.address])
    expect(await request('GET', '/v1/keys/shared')).toMatchObject({ json: { value: 5 } })
  })

  it.each([
    ['PUT /v1/keys/k', 400, 'bad-request', 'no JSON'],
    ['PUT /v1/keys/k?ttl=never', 400, 'bad-request', '1'],
    ['PUT /v1/keys/k?ttl=60&expiration-time=2100000000', 400, 'bad-request', '1'],
    ['PUT /v1/keys/k?expiration-time=1', 400, 'expired', '1'],
    ['PUT /v1/keys/k?tll=60', 400, 'bad-request', '1'],
    ['PUT /v1/keys/%7B%22a%22%3A1%7D', 400, 'bad-request', '1'],
    ['PUT /v1/keys/%FF', 400, 'bad-request', '1'],
    ['PUT /v1/keys/k', 413, 'too-large', `"${'x'.repeat(1_500_000)}"`],
    ['PUT /v1/keys/k', 413, 'too-large', `"${'x'.repeat(20_000_000)}"`],
    ['GET /v1/keys/k?latest=yes', 400, 'bad-request', undefined],
    ['GET /v1/keys/k?timeout=soon', 400, 'bad-request', undefined],
    [`GET /v1/watch/${'k'.repeat(5000)}`, 400, 'bad-request', undefined],
    ['GET /v1/keys/none', 404, 'absent', undefined],
    ['GET /', 404, 'no-such-path', undefined],
    ['GET /v1/keys/', 404, 'no-such-path', undefined],
    ['POST /v1/keys/k', 405, 'no-such-method', '1'],
    ['DELETE /v1/watch/k', 405, 'no-such-method', undefined]
  ])('are refused for %s: %i %s', async (line, status, code, body) => {
    const [method = '', path = ''] = line.split(' ')
    const headers = { 'content-type': 'application/json' }
    const answered = await request(method, path, { headers, ...(body !== undefined && { body }) })
    expect(answered).toMatchObject({ status, json: { code } })
  })

  it('are not replaced by what expires earlier', async () => {
    await put('/v1/keys/late?ttl=2h', '1')
    expect(await put('/v1/keys/late?ttl=1h', '2')).toMatchObject({
      status: 409,
      json: { code: 'beaten' }
    })
  })

  it('need the token', async () => {
    for (const token of ['', 'wrong', `${TOKEN}x`]) {
      const { status, json, headers } = await request('GET', '/v1/keys/k', { token })
      expect({ status, json }).toMatchObject({ status: 401, json: { code: 'no-token' } })
      expect(headers.get('www-authenticate')).toBe('Bearer')
    }
  })

  it('are there however many others connect and say nothing (N13h)', async () => {
    const silent = Array.from({ length: 2 * MAX_STRANGERS }, () => {
      const { port, hostname } = new URL(base)
      return connect(Number(port), hostname).on('error', () => {})
    })
    await Promise.all(silent.map((socket) => once(socket, 'connect')))

    expect(await put('/v1/keys/calm', '1')).toMatchObject({ status: 200 })
    await expect
      .poll(() => silent.filter(({ closed }) => closed).length)
      .toBeGreaterThanOrEqual(MAX_STRANGERS)
    silent.forEach((socket) => {
      socket.destroy()
    })
  })
})

describe('watches over HTTP', () => {
  it('send the value now and after each change, until the client goes', async () => {
    const ended = new AbortController()
    const headers = { authorization: `Bearer ${TOKEN}` }
    const url = `${base}/v1/watch/room?subkey=a`
    const response = await fetch(url, { headers, signal: ended.signal })
    const events = eventsOf(response)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(await next(events)).toEqual({ key: 'room', subkey: 'a', gone: true })

    await put('/v1/keys/room?subkey=b', '"elsewhere"')
    await put('/v1/keys/room?subkey=a', '"here"')
    expect(await next(events)).toMatchObject({ key: 'room', subkey: 'a', value: 'here' })
    await request('DELETE', '/v1/keys/room?subkey=a')
    expect(await next(events)).toMatchObject({ gone: true })
    ended.abort()
  })
})

async function* eventsOf(response: Response): AsyncGenerator<unknown> {
  const decoder = new TextDecoder()
  const schema = whole({
    anyOf: [{ $ref: '#/components/schemas/Found' }, { $ref: '#/components/schemas/Gone' }]
  })
  let text = ''

  for await (const part of response.body ?? []) {
    text += decoder.decode(part, { stream: true })
    const events = text.split('\n\n')
    text = events.pop() ?? ''

    for (const event of events.filter((event) => event.startsWith('data: '))) {
      const json: unknown = JSON.parse(event.slice('data: '.length))
      schema.parse(json)
      yield json
    }
  }
}

async function next(events: AsyncGenerator<unknown>): Promise<unknown> {
  return (await events.next()).value
}

describe('the examples in docs/http.md', () => {
  it.each([
    ['sh', 'sh'],
    ['python', 'python3']
  ])('run as they are: %s', async (language, program) => {
    const text = await readFile(
      fileURLToPath(new URL('../../../../docs/http.md', import.meta.url)),
      'utf8'
    )
    const [example] = fences(text).filter((fence) => fence.language === language)
    const code = example?.code.replace('http://127.0.0.1:8337', base) ?? ''
    const env = { ...process.env, WAGGLE_HTTP_TOKEN: TOKEN, no_proxy: '*' }
    const child = spawn(program, ['-'], { env, timeout: 30_000 })
    child.stdin.end(`${language === 'sh' ? 'set -e\n' : ''}${code}`)
    const [stdout, stderr] = await Promise.all([
      outputOf(child.stdout),
      outputOf(child.stderr),
      once(child, 'close')
    ])

    expect(stderr).not.toContain('Traceback')
    expect(child.exitCode).toBe(0)
    expect(stdout).toMatch(
      language === 'sh' ? /"value":"yes".*"deleted":true/s : /'coming': True.*'subkey': 'bob'/s
    )
  })
})

describe('the OpenAPI document', () => {
  it('is served to everybody, and is the one in docs', async () => {
    const { json } = await request('GET', '/v1/openapi.json', { token: '' })
    // To write it anew: curl URL/v1/openapi.json
    expect(json).toEqual(JSON.parse(await readFile(DOCUMENT, 'utf8')))
  })
})

describe('waggle serve --http', () => {
  it('makes a token of its own, and tells it', async () => {
    await using other = await served(['--http', '0'])
    const { http } = other.events().find(({ event }) => event === 'started') ?? {}
    const headers = { authorization: `Bearer ${http?.newToken}` }
    const { status } = await fetch(`${http?.url}/v1/keys/none`, { headers })
    expect(status).toBe(404)
  })

  it('refuses a token that can be guessed', async () => {
    const env = { WAGGLE_HTTP_TOKEN: 'secret' }
    const { exitCode, stderr } = await waggle(['serve', '--http', '0'], { env })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('$WAGGLE_HTTP_TOKEN must have 16 to 256 ASCII characters')
  })
})
