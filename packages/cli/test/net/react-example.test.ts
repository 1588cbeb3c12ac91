import { PassThrough } from 'node:stream'
import { testnet } from '@waggle/dht/testnet'
import { render } from 'ink'
import { createElement, StrictMode } from 'react'
import { expect, it, vi } from 'vitest'
import { z } from 'zod'
import { Room } from '../../../../examples/react/room.ts'

/** Records the frames that a component renders. */
function screenOf(): { readonly stdout: NodeJS.WriteStream; readonly frames: string[] } {
  const stdout = Object.assign(new PassThrough(), { columns: 80, rows: 24 })
  const frames: string[] = []
  stdout.on('data', (chunk) => frames.push(String(chunk).trim()))
  return { stdout: stdout as unknown as NodeJS.WriteStream, frames }
}

const PATIENCE = { timeout: 15_000 }

it('renders a room with each change of it, and no renewal', async () => {
  await using net = await testnet(3)
  const [first, second, third] = net.nodes.map((node) =>
    node.presence('room', z.object({ name: z.string() }), { ttl: 1 })
  )

  if (first === undefined || second === undefined || third === undefined) {
    throw new Error('no nodes')
  }

  const { stdout, frames } = screenOf()
  const watch = third.watch()
  let renewals = 0
  const renewing = third.watch({ renewals: true })
  renewing.subscribe(({ changes }) => {
    renewals += changes.filter(({ type }) => type === 'renewed').length
  })

  // Strict mode mounts a component twice.
  const screen = render(createElement(StrictMode, {}, createElement(Room, { watch })), {
    stdout,
    debug: true,
    patchConsole: false
  })
  await vi.waitUntil(() => frames.at(-1) === 'here: nobody', PATIENCE)
  const alice = first.join({ name: 'alice' })
  await vi.waitUntil(() => frames.at(-1) === 'here: alice', PATIENCE)
  second.join({ name: 'bob' })
  await vi.waitUntil(() => frames.at(-1) === 'here: alice, bob', PATIENCE)
  await vi.waitUntil(() => renewals > 3, PATIENCE)
  await alice.stop()
  await vi.waitUntil(() => frames.at(-1) === 'here: bob', PATIENCE)
  screen.unmount()
  await renewing.stop()

  const start = frames.indexOf('here: nobody')
  expect(frames.slice(start, start + 4)).toEqual([
    'here: nobody',
    'here: alice',
    'here: alice, bob',
    'here: bob'
  ])
  await vi.waitUntil(() => net.nodes[2]?.stats().watchedKeys === 0, PATIENCE)
})
