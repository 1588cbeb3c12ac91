import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitLines } from '../../src/text/split-lines.ts'

async function split(
  bytes: Uint8Array,
  sizes: readonly number[] = [7]
): Promise<(string | undefined)[]> {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let start = 0, i = 0; start < bytes.length; i++) {
      const end = start + (sizes[i % sizes.length] ?? 1)
      yield bytes.subarray(start, end)
      start = end
    }
  }

  const lines: (string | undefined)[] = []

  for await (const line of splitLines(pieces())) {
    lines.push(line)
  }

  return lines
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('splitLines', () => {
  it('splits at line feeds alone, wherever the bytes are cut', async () => {
    const character = fc.constantFrom('a', 'ü', '😀', '\u2028', '\u2029', '\u0085', ' ')
    const line = fc.array(character).map((characters) => characters.join(''))
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 })

    await fc.assert(
      fc.asyncProperty(
        fc.array(line),
        fc.constantFrom('\n', '\r\n'),
        sizes,
        async (lines, end, sizes) => {
          const text = lines.map((one) => `${one}${end}`).join('')
          expect(await split(utf8(text), sizes)).toEqual(lines)
        }
      )
    )
  })

  it('needs no end of the last line, and skips a byte order mark', async () => {
    expect(await split(utf8('\ufefffirst\n\nlast'))).toEqual(['first', '', 'last'])
  })

  it('yields undefined for a line that is not UTF-8, and goes on', async () => {
    const bytes = Uint8Array.of(0x61, 0x0a, 0xc3, 0x0a, 0xc3, 0xbc, 0x0a, 0xff)
    expect(await split(bytes, [3, 2])).toEqual(['a', undefined, 'ü', undefined])
  })

  it('refuses a line that never ends', async () => {
    async function* zeros(): AsyncGenerator<Uint8Array> {
      for (;;) {
        yield new Uint8Array(1024 * 1024)
      }
    }

    await expect(splitLines(zeros()).next()).rejects.toThrow('line 1 has more than')
  })
})
