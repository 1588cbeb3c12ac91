import { request as httpRequest } from 'node:http'
import { text as textOf } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../../../dht/test/support/temporary-directory.ts'
import type { DashboardState } from '../../src/control/dashboard-source.ts'
import type { RecordPage } from '../../src/control/held-records.ts'
import { type Served, served } from '../support/served.ts'
import { RunningWaggle, waggle } from '../support/waggle-process.ts'

const HOSTILE = ['<img src=x onerror=alert(1)>', '</script><script>alert(2)</script>', '\u202eexe']

interface Answered {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly token?: string
  readonly body?: string
}

/** Asks a dashboard as a browser would: `fetch` of Node does not let a program choose `Host`. */
async function ask(url: string, { method, headers, token, body }: Asked = {}): Promise<Answered> {
  const answer = Promise.withResolvers<Answered>()
  const all = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(body !== undefined && { 'content-length': String(body.length) }),
    ...headers
  }
  httpRequest(url, { method, headers: all }, async (response) => {
    const { statusCode = 0, headers } = response
    answer.resolve({ status: statusCode, headers, body: await textOf(response) })
  })
    .once('error', answer.reject)
    .end(body)
  return answer.promise
}

let node: Served
let page: { readonly url: string; readonly token: string }

beforeAll(async () => {
  node = await served(['--dashboard', '0'])
  const { dashboard } = node.events().find(({ event }) => event === 'started') ?? {}
  page = { url: dashboard?.url ?? '', token: dashboard?.newToken ?? '' }

  for (const key of HOSTILE) {
    await waggle(['store', key, key, '-p', node.address])
  }
})

afterAll(() => node?.[Symbol.asyncDispose]())

async function json<T>(path: string): Promise<T> {
  const { status, body } = await ask(`${page.url}${path}`, { token: page.token })
  expect(status).toBe(200)
  return JSON.parse(body)
}

/** Reads the first state that a page gets. */
async function firstState(url: string, token: string): Promise<DashboardState> {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${url}/live`, { headers })
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  let text = ''

  for await (const part of response.body ?? []) {
    text += new TextDecoder().decode(part)

    if (text.includes('\n\n')) {
      break
    }
  }

  return JSON.parse(text.slice('data: '.length))
}

describe('waggle serve --dashboard', () => {
  it('serves a page that loads nothing from elsewhere and runs no script inside it', async () => {
    const { status, body, headers } = await ask(page.url)
    expect(status).toBe(200)
    expect(headers['content-security-policy']).toMatch(/default-src 'none'; script-src 'self';/)
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
    const links = Array.from(body.matchAll(/(?:src|href)="([^"]+)"/g), ([, link = '']) => link)
    expect(links.length).toBeGreaterThan(3)

    for (const link of links) {
      expect(link).toMatch(/^\/[a-z.]+$/)
      expect(await ask(`${page.url}${link}`)).toMatchObject({ status: 200 })
    }

    expect(body).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|\sstyle=/)
  })

  it.each(['/live', '/history', '/search', '/inspect?key=a', '/settings', '/v1/keys/a', '/none'])(
    'tells nothing without the token: %s',
    async (path) => {
      for (const token of [undefined, 'wrong', `${page.token}x`]) {
        expect(await ask(`${page.url}${path}`, { token })).toMatchObject({ status: 401 })
      }
    }
  )

  it.each([
    'evil.example',
    'evil.example:80',
    '127.0.0.1.evil.example',
    '[evil]',
    'localhost.evil'
  ])('is not there under a name that its owner may point anywhere: %j', async (host) => {
    const asked = { token: page.token, headers: { host } }
    expect(await ask(page.url, asked)).toMatchObject({ status: 403 })
    expect(await ask(`${page.url}/history`, asked)).toMatchObject({ status: 403 })
  })

  it.each(['localhost:9000', '127.0.0.1', '[::1]:80'])('is there under %s', async (host) => {
    expect(await ask(page.url, { headers: { host } })).toMatchObject({ status: 200 })
  })

  it.each(['cross-site', 'same-site'])('refuses requests of other pages: %s', async (site) => {
    const asked = { token: page.token, headers: { 'sec-fetch-site': site } }
    expect(await ask(`${page.url}/history`, asked)).toMatchObject({ status: 403 })
    expect(await ask(page.url, asked)).toMatchObject({ status: 403 })
  })

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('only reads: no %s', async (method) => {
    const asked = { method, token: page.token, body: '1' }
    expect(await ask(`${page.url}/v1/keys/a`, asked)).toMatchObject({ status: 405 })
    expect(await ask(`${page.url}/history`, asked)).toMatchObject({ status: 405 })
  })

  it('reads no values either', async () => {
    expect(await ask(`${page.url}/v1/keys/a`, { token: page.token })).toMatchObject({ status: 404 })
  })

  it('tells the state of the node', async () => {
    await using peer = await served(['-p', node.address])
    await peer.process.until(() =>
      peer.events().filter((event) => event.event === 'status' && 'peers' in event && event.peers)
    )
    await expect
      .poll(async () => {
        const { overview, connections, health, ring, events } = await firstState(
          page.url,
          page.token
        )
        return {
          pid: overview.pid,
          records: overview.stats.records,
          onRing: ring.length,
          servers: connections.filter(({ isServer }) => isServer).length,
          transports: new Set(connections.map(({ transport }) => transport)),
          health: health.map(({ tone }) => tone),
          isFound: events.some(({ text }) => /The server \w+ was found/.test(text))
        }
      })
      .toEqual({
        pid: node.process.pid,
        records: HOSTILE.length,
        onRing: 120,
        servers: 1,
        transports: new Set(['TCP']),
        health: ['good', 'info', 'info'],
        isFound: true
      })
    const { connections, sample } = await firstState(page.url, page.token)
    expect(connections[0]).toMatchObject({ direction: 'inbound', isServer: true })
    expect(connections[0]?.agent).toContain('js-libp2p')
    expect(sample.servedKeys).toBeGreaterThanOrEqual(HOSTILE.length)
  })

  it('finds records by their keys, and lists them by expiration', async () => {
    const all = await json<RecordPage>('/search?records=50&key=')
    expect(all.matches).toBe(HOSTILE.length)
    const times = all.records.map(({ expirationTime }) => expirationTime)
    expect(times).toEqual(times.toSorted((a, b) => a - b))

    const found = await json<RecordPage>('/search?records=50&key=ONERROR')
    expect(found).toMatchObject({ matches: 1, records: [{ key: `"${HOSTILE[0]}"` }] })
    expect(await json('/search?records=1&key=')).toMatchObject({ matches: HOSTILE.length })
  })

  it('sends hostile keys as text that changes nothing on a screen', async () => {
    const { body, headers } = await ask(`${page.url}/search?records=50&key=`, { token: page.token })
    expect(headers['content-type']).toBe('application/json')
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(body).not.toContain('\u202e')
    expect(JSON.parse(body).records.map(({ key }: { key: string }) => key)).toContain(
      '"\\u202eexe"'
    )
  })

  it('says where a key lives', async () => {
    const key = encodeURIComponent(HOSTILE[0] ?? '')
    expect(await json(`/inspect?key=${key}`)).toMatchObject({
      key: HOSTILE[0],
      found: { value: HOSTILE[0] }
    })
    expect(await json('/inspect?key=nowhere')).toMatchObject({ found: null })
    const wrong = await ask(`${page.url}/inspect?key=%7B%7D`, { token: page.token })
    expect(wrong).toMatchObject({ status: 400 })
  })
})

describe('waggle dashboard', () => {
  it('shows a node that runs already, writes with --dashboard-write, and ends alone', async () => {
    await using directory = await temporaryDirectory()
    const options = { env: { TMPDIR: directory.path } }
    await using other = await served([], options)
    await using dashboard = new RunningWaggle(
      [
        'dashboard',
        '--json',
        '--node',
        String(other.process.pid),
        '--port',
        '0',
        '--dashboard-write'
      ],
      options
    )
    const { url, newToken, node: pid } = JSON.parse(await dashboard.line(/started/))
    const asked = { token: newToken, headers: { 'content-type': 'application/json' } }
    expect(pid).toBe(other.process.pid)

    const path = `${url}/v1/keys/colour`
    expect(await ask(path, { ...asked, method: 'PUT', body: '"blue"' })).toMatchObject({
      status: 200
    })
    expect(await ask(path, asked)).toMatchObject({ status: 200, body: /"value":"blue"/ })
    expect(await ask(path, { method: 'PUT', body: '"red"' })).toMatchObject({ status: 401 })
    const crossSite = { ...asked.headers, 'sec-fetch-site': 'cross-site' }
    expect(
      await ask(path, { ...asked, headers: crossSite, method: 'PUT', body: '"red"' })
    ).toMatchObject({ status: 403 })
    const { calls, overview } = await firstState(url, newToken)
    expect(overview.pid).toBe(other.process.pid)
    expect(calls).toContainEqual(expect.objectContaining({ call: 'store', count: 1 }))

    dashboard.kill('SIGINT')
    expect((await dashboard.ended()).exitCode).toBe(0)
    expect((await waggle(['stats', '--json'], options)).exitCode).toBe(0)
  })

  it('says that the node does not answer any more', async () => {
    await using directory = await temporaryDirectory()
    const options = { env: { TMPDIR: directory.path } }
    await using other = await served([], options)
    await using dashboard = new RunningWaggle(
      ['dashboard', '--json', '--port', '0', '--node', String(other.process.pid)],
      options
    )
    const { url, newToken } = JSON.parse(await dashboard.line(/started/))
    other.process.kill('SIGTERM')
    await other.process.ended()

    expect(await ask(`${url}/history`, { token: newToken })).toMatchObject({ status: 503 })
    expect(await firstState(url, newToken)).toBeNull()
  })
})
