import { fromString } from 'uint8arrays/from-string'
import { float, type HivemindValue, tuple } from '../../src/msgpack/python-types.ts'

/** The Python expressions of the vectors in JavaScript. Each is written down, not evaluated. */
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const bytes = (latin1: string): Uint8Array => fromString(latin1, 'latin1')

const VALUES: Readonly<Record<string, HivemindValue>> = {
  None: null,
  True: true,
  False: false,
  '2**32-1': 2 ** 32 - 1,
  '2**32': 2 ** 32,
  '2**53': 2n ** 53n,
  '2**53+1': 2n ** 53n + 1n,
  '2**63': 2n ** 63n,
  '2**64-1': 2n ** 64n - 1n,
  '-2**31': -(2 ** 31),
  '-2**31-1': -(2 ** 31) - 1,
  '-2**63': -(2n ** 63n),
  '0.0': float(0),
  '-0.0': float(-0),
  '1.0': float(1),
  '1e300': 1e300,
  '5e-324': 5e-324,
  "float('inf')": Number.POSITIVE_INFINITY,
  "float('-inf')": Number.NEGATIVE_INFINITY,
  "'\\ufeffx'": '\ufeffx',
  "'x'*31": 'x'.repeat(31),
  "'x'*32": 'x'.repeat(32),
  "'x'*255": 'x'.repeat(255),
  "'x'*256": 'x'.repeat(256),
  "'x'*300": 'x'.repeat(300),
  "b''": bytes(''),
  "b'\\x00\\xff'": bytes('\x00\xff'),
  "b'y'*255": bytes('y'.repeat(255)),
  "b'y'*256": bytes('y'.repeat(256)),
  "[1,'a',b'b',None]": [1, 'a', bytes('b'), null],
  'list(range(15))': range(15),
  'list(range(16))': range(16),
  '[]': [],
  '()': tuple(),
  '(1,)': tuple(1),
  "('a',)": tuple('a'),
  '(1,2)': tuple(1, 2),
  '(1.5,)': tuple(1.5),
  "('a',('b',(2,)))": tuple('a', tuple('b', tuple(2))),
  '[(1,)]': [tuple(1)],
  '{}': {},
  "{'a':1,'b':[1.0]}": { a: 1, b: [float(1)] },
  "{b'k':2}": new Map([[bytes('k'), 2]]),
  "{'t':(1,2)}": { t: tuple(1, 2) },
  "{'k%d'%i:i for i in range(16)}": Object.fromEntries(range(16).map((i) => [`k${i}`, i])),
  "(2, 12.5, {'version':'2.3.0','adapters':()})": tuple(2, 12.5, {
    version: '2.3.0',
    adapters: tuple()
  }),
  'tuple(range(16))': tuple(...range(16)),
  "('x'*300,)": tuple('x'.repeat(300)),
  "b'key1'": bytes('key1'),
  "b'b'": bytes('b'),
  "b'\\xc0'": bytes('\xc0'),
  "('a',1)": tuple('a', 1),
  "('a',1.0)": tuple('a', float(1)),
  "('t', 0)": tuple('t', 0)
}

/** Returns the value of a Python expression; plain numbers and strings are as in JavaScript. */
export function valueOfPython(expression: string): HivemindValue {
  const known = VALUES[expression]

  if (known !== undefined) {
    return known
  }

  const text = /^'([^'\\]*)'$/.exec(expression)?.[1]

  if (text !== undefined) {
    return text
  }

  const number = Number(expression)

  if (Number.isNaN(number)) {
    throw new Error(`nobody has said what ${expression} is`)
  }

  return number
}
