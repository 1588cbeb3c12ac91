import { recordKey } from '@waggle/record'
import { expect, it } from 'vitest'
import { MAX_REMEMBERED, UnreachableServers } from '../../src/peers/unreachable-servers.ts'
import { contact } from '../support/exchange-serving.ts'

it('remembers the servers that could not be dialled last, however many did before (N14)', () => {
  const last = contact(MAX_REMEMBERED + 1)
  const unreachable = new UnreachableServers({
    routing: { nearest: () => [last], members: () => [] } as never,
    peers: { isAnyFull: false, isFull: () => false, isOutOfReach: () => true },
    numReplicas: 1
  })
  const key = recordKey('key')
  unreachable.add(Array.from({ length: MAX_REMEMBERED }, (_, i) => contact(i + 1)))
  unreachable.add([last])
  expect(unreachable.share(key)).toBe(1)
})
