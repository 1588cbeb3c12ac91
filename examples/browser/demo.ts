import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { testnet } from '@waggle/dht/testnet'
import { build, type InlineConfig, preview } from 'vite'
import { MemberSchema, MOODS, PRESENCE_TTL, roomKey } from './room.ts'

/** Names of the servers, which are members, too. */
const NAMES = ['Karl', 'Ada', 'Grace']

/** Milliseconds after which one of them changes its mood. */
const MOOD_MS = 5000

const PAGE = fileURLToPath(new URL('.', import.meta.url))

/** The page, served on this machine, and a network for it. */
export interface Demo extends AsyncDisposable {
  readonly url: string
}

/** Starts a small network, builds the page for it, and serves the page. `config` adds to vite's. */
export async function startDemo(config: InlineConfig = {}): Promise<Demo> {
  const net = await testnet(NAMES.length)
  const members = net.nodes.map((node, i) =>
    node
      .presence(roomKey('lobby'), MemberSchema, { ttl: PRESENCE_TTL })
      .join({ name: NAMES[i] ?? '', mood: 'here' })
  )
  const moods = setInterval(() => {
    const member = members[Math.floor(Math.random() * members.length)]
    const mood = MOODS[Math.floor(Math.random() * MOODS.length)] ?? 'here'
    member?.update({ ...member.value, mood })
  }, MOOD_MS)

  // A page dials the WebSocket on the same port.
  const addresses = net.nodes.map(({ multiaddrs: [tcp] }) => tcp)
  const site = await serve({
    ...config,
    define: { 'import.meta.env.VITE_INITIAL_PEERS': JSON.stringify(addresses.join(',')) }
  })

  return {
    url: site.url,
    [Symbol.asyncDispose]: async () => {
      clearInterval(moods)
      await site[Symbol.asyncDispose]()
      await Promise.all(members.map((member) => member.stop()))
      await net.stop()
    }
  }
}

/** Builds the page into a temporary folder, and serves it. */
async function serve(config: InlineConfig): Promise<Demo> {
  const folder = await mkdtemp(join(tmpdir(), 'waggle-presence-'))
  const options: InlineConfig = {
    root: PAGE,
    logLevel: 'warn',
    ...config,
    build: { outDir: folder, emptyOutDir: true },
    preview: { host: '127.0.0.1' }
  }
  await build(options)
  const web = await preview(options)

  return {
    url: web.resolvedUrls?.local[0] ?? '',
    [Symbol.asyncDispose]: async () => {
      await web.close()
      await rm(folder, { recursive: true })
    }
  }
}
