import { describe, expect, it } from 'vitest'
import { swarmKeyBytes } from '../../src/node/swarm-key.ts'

const SECRET = '0123456789abcdef'.repeat(4)
const KEY = `/key/swarm/psk/1.0.0/\n/base16/\n${SECRET}`

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

describe('swarmKeyBytes', () => {
  it.each([
    ['text', KEY],
    ['bytes', bytesOf(KEY)],
    ['a file that ends with a line break', `${KEY}\n`],
    ['a file that was made on Windows', `${KEY.replaceAll('\n', '\r\n')}\r\n`]
  ])('takes %s', (_, key) => {
    expect(swarmKeyBytes(key, 'swarmKey')).toEqual(bytesOf(KEY))
  })

  it.each([
    ['a key alone', SECRET, 'its first line is not /key/swarm/psk/1.0.0/'],
    ['a path', '/etc/bees/swarm.key', 'this looks like a path: pass the content of the file'],
    ['another path', 'swarm.key', 'this looks like a path: pass the content of the file'],
    ['another version', KEY.replace('1.0.0', '2.0.0'), 'its first line is not'],
    ['another encoding', KEY.replace('base16', 'base64'), 'its second line is not /base16/'],
    ['too short a key', KEY.slice(0, -2), 'but 62 characters'],
    ['too long a key', `${KEY}00`, 'but 66 characters'],
    ['no key', '/key/swarm/psk/1.0.0/\n/base16/', 'but 0 characters'],
    ['a key with other letters', KEY.replace('f', 'g'), 'its third line is not 64 hexadecimal'],
    ['more than a key', `${KEY}\n${SECRET}`, 'it has 4 lines'],
    ['nothing', '', 'its first line is not'],
    ['no text', 5, 'it is of type number'],
    ['null', null, 'it is null'],
    ['the raw bytes of a key', new Uint8Array(32).fill(7), 'its first line is not']
  ])('refuses %s, and does not repeat the secret', (_, key, fault) => {
    expect(() => swarmKeyBytes(key, 'swarmKey')).toThrow(TypeError)
    expect(() => swarmKeyBytes(key, 'swarmKey')).toThrow(fault)
    expect(() => swarmKeyBytes(key, 'swarmKey')).toThrow(/^swarmKey must be the text of a swarm/)
    expect(() => swarmKeyBytes(key, 'swarmKey')).not.toThrow(SECRET.slice(0, 40))
  })
})
