import { describe, expect, it } from 'vitest'
import { FirstBytes } from '../../src/transport/first-bytes.ts'
import {
  HttpHeadReader,
  MAX_HEAD_BYTES,
  upgradeAnswer,
  upgradeRequest
} from '../../src/transport/http-upgrade.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

const HEADERS = {
  Host: 'example.org',
  Upgrade: 'websocket',
  Connection: 'keep-alive, Upgrade',
  'Sec-WebSocket-Key': KEY,
  'Sec-WebSocket-Version': '13'
}

function request(headers: Readonly<Record<string, string>>, line = 'GET / HTTP/1.1'): string {
  return [
    line,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '\r\n'
  ].join('\r\n')
}

function statusOf(text: string, { isSameMachine = false } = {}): string {
  const answer = upgradeAnswer({ text, rest: new Uint8Array(0) }, { isSameMachine })
  return answer.text.split('\r\n')[0]?.slice('HTTP/1.1 '.length) ?? ''
}

describe('upgradeAnswer', () => {
  it("accepts the standard's own example (RFC 6455, §1.3)", () => {
    const { isAccepted, text } = upgradeAnswer(
      { text: request(HEADERS), rest: new Uint8Array(0) },
      { isSameMachine: false }
    )
    expect(isAccepted).toBe(true)
    expect(text).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n')
  })

  it.each([
    ['POST', request(HEADERS, 'POST / HTTP/1.1'), '400 Bad Request'],
    ['an old HTTP', request(HEADERS, 'GET / HTTP/1.0'), '400 Bad Request'],
    ['what is no header', request({ ...HEADERS, 'a b': 'c' }), '400 Bad Request'],
    ['a folded header', 'GET / HTTP/1.1\r\n Upgrade: websocket\r\n\r\n', '400 Bad Request'],
    ['a page', request({ Host: 'example.org' }), '426 Upgrade Required'],
    [
      'another version',
      request({ ...HEADERS, 'Sec-WebSocket-Version': '8' }),
      '426 Upgrade Required'
    ],
    ['a wrong key', request({ ...HEADERS, 'Sec-WebSocket-Key': 'short' }), '400 Bad Request']
  ])('refuses %s', (_, text, status) => {
    expect(statusOf(text)).toBe(status)
  })

  it.each([
    ['https://evil.example', '403 Forbidden'],
    ['null', '403 Forbidden'],
    ['http://127.0.0.1.evil.example', '403 Forbidden'],
    ['http://localhost:5173', '101 Switching Protocols'],
    ['http://127.0.0.1:5173', '101 Switching Protocols'],
    ['http://[::1]:5173', '101 Switching Protocols']
  ])('answers a page of %s in a browser on this machine (N13n)', (origin, status) => {
    const text = request({ ...HEADERS, Origin: origin })
    expect(statusOf(text, { isSameMachine: true })).toBe(status)
    expect(statusOf(text, { isSameMachine: false })).toBe('101 Switching Protocols')
  })

  it.each([
    ['192.168.1.5:4001', 'http://192.168.1.5:5173', '101 Switching Protocols'],
    ['[fe80::1]:4001', 'http://[fe80::1]', '101 Switching Protocols'],
    ['192.168.1.5:4001', 'http://192.168.1.6', '403 Forbidden'],
    ['evil.example:4001', 'http://evil.example', '403 Forbidden']
  ])('called %s answers a page of %s on its machine (N13n)', (Host, Origin, status) => {
    expect(statusOf(request({ ...HEADERS, Host, Origin }), { isSameMachine: true })).toBe(status)
  })

  it('takes pages of any site that come through a proxy on this machine (N13n)', () => {
    const text = request({
      ...HEADERS,
      Origin: 'https://app.example',
      'X-Forwarded-For': '203.0.113.7'
    })
    expect(statusOf(text, { isSameMachine: true })).toBe('101 Switching Protocols')
  })
})

describe('upgradeRequest', () => {
  it('accepts the answer to it, and no other', () => {
    const asked = upgradeRequest('example.org:443')
    const head = { rest: new Uint8Array(0) }
    const answer = upgradeAnswer({ ...head, text: asked.text }, { isSameMachine: false })
    const other = upgradeAnswer({ ...head, text: request(HEADERS) }, { isSameMachine: false })
    expect(() => asked.assertAccepted({ ...head, text: answer.text })).not.toThrow()
    expect(() => asked.assertAccepted({ ...head, text: other.text })).toThrow(/does not know/)
    expect(() => asked.assertAccepted({ ...head, text: 'HTTP/1.1 404 Not Found\r\n\r\n' })).toThrow(
      /404 Not Found/
    )
  })
})

describe('HttpHeadReader', () => {
  it('gathers a head byte by byte, and gives back what comes after it', () => {
    const reader = new HttpHeadReader()
    const bytes = Buffer.from(`${request(HEADERS)}rest`)
    const heads = [...bytes.subarray(0, -5)].map((byte) => reader.push(Uint8Array.of(byte)))
    expect(heads.every((head) => head === undefined)).toBe(true)
    const head = reader.push(bytes.subarray(-5))
    expect(head?.text).toBe(request(HEADERS))
    expect(Buffer.from(head?.rest ?? []).toString()).toBe('rest')
  })

  it('throws when the head is too long, in one piece or in many', () => {
    expect(() => new HttpHeadReader().push(Buffer.alloc(MAX_HEAD_BYTES, 'a'))).toThrow(/longer/)
    const slow = new HttpHeadReader()
    const line = Buffer.from('X-Long: header\r\n')
    expect(() => {
      for (let i = 0; i <= MAX_HEAD_BYTES / line.length; i++) {
        slow.push(line)
      }
    }).toThrow(/longer/)
  })
})

describe('FirstBytes', () => {
  it('knows libp2p by the first byte', () => {
    const bytes = Buffer.from('\x13/multistream/1.0.0\n')
    expect(new FirstBytes().push(bytes)).toEqual({ rest: bytes })
  })

  it('waits as long as it may be a request', () => {
    const first = new FirstBytes()
    expect(first.push(Buffer.from('G'))).toBeUndefined()
    expect(first.push(Buffer.from('E'))).toBeUndefined()
    const found = first.push(Buffer.from('X random'))
    expect(found?.text).toBeUndefined()
    expect(Buffer.from(found?.rest ?? []).toString()).toBe('GEX random')
  })

  it('returns the head of a request', () => {
    const first = new FirstBytes()
    const text = request(HEADERS)
    expect(first.push(Buffer.from(text.slice(0, 2)))).toBeUndefined()
    expect(first.push(Buffer.from(text.slice(2)))?.text).toBe(text)
  })
})
