import { PassThrough } from 'node:stream'
import { testnet } from '@waggle/dht/testnet'
import { render } from 'ink'
import { createElement, StrictMode } from 'react'
import { expect, it, vi } from 'vitest'
import { Room } from '../../../../examples/react-room.ts'

/** What a component renders, frame by frame. */
function screenOf(): { readonly stdout: NodeJS.WriteStream; readonly frames: string[] } {
  const stdout = Object.assign(new PassThrough(), { columns: 80, rows: 24 })
  const frames: string[] = []
  stdout.on('data', (chunk) => frames.push(String(chunk).trim()))
  return { stdout: stdout as unknown as NodeJS.WriteStream, frames }
}

it('renders a room with each change of it, and no renewal', async () => {
  await using net = await testnet(3)
  const [first, second, third] = net.nodes
  const watch = third?.watch('presence')
  const { stdout, frames } = screenOf()

  if (first === undefined || second === undefined || watch === undefined) {
    throw new Error('no nodes')
  }

  // Strict mode mounts a component twice.
  const screen = render(createElement(StrictMode, {}, createElement(Room, { watch })), {
    stdout,
    debug: true,
    patchConsole: false
  })
  await first.store('presence', 'here', { subkey: 'alice', ttl: 60 })
  await vi.waitUntil(() => frames.at(-1) === 'here: alice')
  await first.store('presence', 'here', { subkey: 'alice', ttl: 90 })
  await second.store('presence', 'here', { subkey: 'bob', ttl: 60 })
  await vi.waitUntil(() => frames.at(-1) === 'here: alice, bob')
  await first.delete('presence', { subkey: 'alice', ttl: 120 })
  await vi.waitUntil(() => frames.at(-1) === 'here: bob')
  const seen = frames.filter((frame, i) => frame !== frames[i - 1])
  screen.unmount()

  expect(seen.slice(-3)).toEqual(['here: alice', 'here: alice, bob', 'here: bob'])
  expect(frames.filter((frame) => frame === 'here: alice')).toHaveLength(1)
  await vi.waitUntil(() => third?.stats().watchedKeys === 0)
})
