/** The constant words of ChaCha20. */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]

/** Indexes of the words in each quarter round of a double round. */
const QUARTER_ROUNDS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14]
] as const

/**
 * Derives the key of XChaCha20 from a key and the first 16 bytes of its nonce. OpenSSL does not.
 */
export function hChaCha20(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const state = Uint32Array.from([...CONSTANTS, ...wordsOf(key), ...wordsOf(nonce)])

  for (let round = 0; round < 10; round++) {
    for (const [a, b, c, d] of QUARTER_ROUNDS) {
      mix(state, [a, b, d], 16)
      mix(state, [c, d, b], 12)
      mix(state, [a, b, d], 8)
      mix(state, [c, d, b], 7)
    }
  }

  const words = Uint32Array.from([...state.subarray(0, 4), ...state.subarray(12)])
  return new Uint8Array(words.buffer)
}

/** Adds one word to another, and rotates a third one by the sum. */
function mix(
  state: Uint32Array,
  [to, by, turned]: readonly [number, number, number],
  bits: number
): void {
  state[to] = (state[to] ?? 0) + (state[by] ?? 0)
  const word = (state[turned] ?? 0) ^ (state[to] ?? 0)
  state[turned] = (word << bits) | (word >>> (32 - bits))
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(Uint8Array.from(bytes).buffer)
}
