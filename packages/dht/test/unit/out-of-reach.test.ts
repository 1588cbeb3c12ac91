import { recordKey } from '@waggle/record'
import { expect, it } from 'vitest'
import { MAX_REMEMBERED, OutOfReach } from '../../src/reading/out-of-reach.ts'
import { contact } from '../support/exchange-serving.ts'

it('remembers the servers that could not be dialled last, however many did before (N14)', () => {
  const last = contact(MAX_REMEMBERED + 1)
  const outOfReach = new OutOfReach({
    routing: { nearest: () => [last], members: () => [] } as never,
    peers: { isFull: () => false, isOutOfReach: () => true },
    numReplicas: 1
  })
  const key = recordKey('key')
  outOfReach.add(Array.from({ length: MAX_REMEMBERED }, (_, i) => contact(i + 1)))
  outOfReach.add([last])
  expect(outOfReach.share(key)).toBe(1)
})
