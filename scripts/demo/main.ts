/** Demonstrates the main use as a story: three peers in three processes agree over TCP on who comes to a party. */
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Found, StoreOptions, Value } from '@waggle/dht'
import { Narrator, shown } from './narrator.ts'
import { PeerProcess } from './peer-process.ts'

/** Longest time for the story, in ms. */
const MAX_STORY_MS = 60_000

/** Lifetime of the last value, in seconds. */
const SHORT_TTL = 1.5

const narrator = new Narrator()

interface Peers {
  readonly alice: PeerProcess
  readonly bob: PeerProcess
  readonly carol: PeerProcess
}

async function story(): Promise<void> {
  await using alice = new PeerProcess('alice')
  await using bob = new PeerProcess('bob')
  await using carol = new PeerProcess('carol')
  const peers = { alice, bob, carol }

  await meet(peers)
  await readWhatAnotherStored(peers)
  await writeTogether(peers)
  await replaceByLater(peers)
  await outlive(peers)
  await part(peers)
}

async function meet({ alice, bob, carol }: Peers): Promise<void> {
  narrator.scene('Three peers in three processes connect over TCP')
  const address = await alice.join([])
  narrator.line('alice', `is process ${alice.pid} and listens on ${address}`)
  await Promise.all([bob.join([address]), carol.join([address])])
  narrator.line('bob', `is process ${bob.pid} and has joined alice`)
  narrator.line('carol', `is process ${carol.pid} and has joined alice`)
}

async function readWhatAnotherStored({ alice, carol }: Peers): Promise<void> {
  narrator.scene('One peer stores a value, and another reads it')
  await store(alice, 'my_key', ['i', 'love', 'bees'], { ttl: 600 })
  await get(carol, 'my_key', ['i', 'love', 'bees'])
}

async function writeTogether({ alice, bob, carol }: Peers): Promise<void> {
  narrator.scene('Three peers write to one key at the same moment, each under its own subkey')
  await Promise.all([
    store(alice, 'party', 'yes', { subkey: 'alice', ttl: 600 }),
    store(bob, 'party', 'with cake', { subkey: 'bob', ttl: 600 }),
    store(carol, 'party', 'no', { subkey: 'carol', ttl: 600 })
  ])
  narrator.aside('… bob wrote one of the three answers and reads all of them:')
  await get(bob, 'party', { alice: 'yes', bob: 'with cake', carol: 'no' })
}

async function replaceByLater({ alice, bob, carol }: Peers): Promise<void> {
  narrator.scene('A value that expires later replaces the present one')
  await store(bob, 'we meet', 'at noon', { ttl: 60 })
  await store(carol, 'we meet', 'at three', { ttl: 120 })
  await get(alice, 'we meet', 'at three')

  narrator.scene('A value that expires earlier is refused')
  await store(bob, 'we meet', 'at noon after all', { ttl: 90, expected: 'refused' })
  await get(alice, 'we meet', 'at three')
}

async function outlive({ alice, bob }: Peers): Promise<void> {
  narrator.scene('Every value expires')
  await store(alice, 'the dance', 'goes on', { ttl: SHORT_TTL })
  await get(bob, 'the dance', 'goes on')
  narrator.aside(`… ${SHORT_TTL} seconds later:`)
  await sleep(SHORT_TTL * 1000)
  await get(bob, 'the dance', undefined)
}

async function part(peers: Peers): Promise<void> {
  narrator.scene('The peers leave')

  const leaving = Object.values(peers).map(async (peer) => {
    const exitCode = await peer.leave()
    narrator.line(peer.name, `has left; its process ended with code ${exitCode}`, exitCode === 0)
  })
  await Promise.all(leaving)
}

async function store(
  peer: PeerProcess,
  key: string,
  value: Value,
  { expected = 'accepted', ...options }: StoreOptions & { expected?: 'accepted' | 'refused' }
): Promise<void> {
  const outcome = (await peer.store(key, value, options)) ? 'accepted' : 'refused'
  const place = [key, options.subkey]
    .filter((name) => name !== undefined)
    .map(shown)
    .join(' / ')
  narrator.line(
    peer.name,
    `stores ${place} = ${shown(value)} for ${options.ttl} seconds: ${outcome}`,
    outcome === expected
  )
}

async function get(peer: PeerProcess, key: string, expected: unknown): Promise<void> {
  const seen = plainOf(await peer.get(key))
  const answer = seen === undefined ? 'nothing' : shown(seen)
  narrator.line(peer.name, `gets ${shown(key)}: ${answer}`, isDeepStrictEqual(seen, expected))
}

/** Converts a dictionary to an object, without expiration times. */
function plainOf(found: Found | undefined): unknown {
  return found?.value instanceof Map
    ? Object.fromEntries([...found.value].map(([subkey, { value }]) => [subkey, value]))
    : found?.value
}

const deadline = setTimeout(() => {
  console.error(`the demo did not end within ${MAX_STORY_MS} ms`)
  process.exit(1)
}, MAX_STORY_MS)

try {
  await story()
} finally {
  clearTimeout(deadline)
}

console.log(
  narrator.isTrue
    ? '\nEvery result is as promised.'
    : '\nSome results are not as promised: see ✗ above.'
)
process.exitCode = narrator.isTrue ? 0 : 1
