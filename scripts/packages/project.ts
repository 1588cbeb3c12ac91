import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { OWN_NODE } from './own-node.ts'

/** A first program of an application, valid as JavaScript and as TypeScript. */
const PROGRAM = `import assert from 'node:assert/strict'
import { DHT, getDHTTime } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import { HivemindDHT } from '@waggle/hivemind'
import { decodeRecord, encodeRecord, plainRecord, view } from '@waggle/record'

const warnings = new Set()
process.on('warning', (warning) => warnings.add(warning))

const first = await DHT.create({ listenOn: '127.0.0.1:0' })
const second = await DHT.create({ initialPeers: first.multiaddrs })

assert.equal(await first.store('key', ['value'], { expirationTime: getDHTTime() + 60 }), true)
assert.deepEqual((await second.get('key'))?.value, ['value'])

await second.stop()
await first.stop()

const net = await testnet(1, { dataDir: 'data' })
assert.equal(await net.nodes[0]?.store('kept', 1, { ttl: 60 }), true)
await net.stop()

const swarm = await HivemindDHT.create()
assert.equal(await swarm.store('key', 'value', { ttl: 60 }), true)
await swarm.stop()

assert.equal(view(decodeRecord(encodeRecord(plainRecord(1, getDHTTime() + 60))))?.value, 1)
assert.deepEqual([...warnings], [])
`

/** Adds checks that the types exist and are not \`any\`. */
const TYPED_PROGRAM = `${PROGRAM}
import type { DHTOptions, Found } from '@waggle/dht'

export const options: DHTOptions = { listenOn: ':0' }
export const expirationOf = (found: Found): number => found.expirationTime

// @ts-expect-error: an object is not a key
await first.get({})
// @ts-expect-error: the option does not exist
await DHT.create({ listen: ':0' })
`

/** Uses the installed command: starts a node with a data directory, stores a value and reads it. */
const COMMAND = `import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const BIN = 'node_modules/@waggle/cli/bin/waggle.js'
const run = (...args) => execFileSync(process.execPath, [BIN, ...args], { encoding: 'utf8' })
const serve = ['serve', '--json', '--listen-on', '127.0.0.1:0', '--data-dir', 'served']
const node = spawn(process.execPath, [BIN, ...serve], { stdio: ['ignore', 'pipe', 'inherit'] })

try {
  const [line] = await once(createInterface({ input: node.stdout }), 'line')
  const [address] = JSON.parse(line).addresses
  run('store', 'key', 'value', '-p', address)
  assert.equal(run('get', 'key', '-p', address), '"value"\\n')
} finally {
  node.kill()
}

assert.deepEqual(await once(node, 'exit'), [0, null])
`

/** libp2p, as an application installs it for a node of its own: the versions that Waggle takes, too. */
const LIBP2P = [
  'libp2p',
  ...['identify', 'interface', 'noise', 'peer-id', 'ping', 'tcp', 'yamux'].map(
    (name) => `@libp2p/${name}`
  ),
  '@multiformats/multiaddr'
]

/** TypeScript's ways to resolve packages that applications use. */
export const RESOLUTIONS: Readonly<Record<string, object>> = {
  nodenext: { module: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' }
}

/** Creates a project with these dependencies and programs that use them. */
export function makeProject(folder: string, tarballs: readonly string[]): void {
  const dependencies = Object.fromEntries(
    tarballs.map((tarball) => [
      `@waggle/${/waggle-(\w+)-[\d.]+\.tgz$/.exec(tarball)?.[1]}`,
      `file:${tarball}`
    ])
  )
  const libp2p = Object.fromEntries(LIBP2P.map((name) => [name, '*']))
  write(folder, 'package.json', {
    private: true,
    type: 'module',
    dependencies: { ...dependencies, ...libp2p }
  })
  writeFileSync(join(folder, 'program.js'), PROGRAM)
  writeFileSync(join(folder, 'program.ts'), TYPED_PROGRAM)
  writeFileSync(join(folder, 'command.js'), COMMAND)
  writeFileSync(join(folder, 'own-node.js'), OWN_NODE)

  for (const [name, options] of Object.entries(RESOLUTIONS)) {
    write(folder, `tsconfig.${name}.json`, {
      compilerOptions: {
        target: 'es2024',
        strict: true,
        noEmit: true,
        types: ['node'],
        ...options
      },
      files: ['program.ts']
    })
  }
}

function write(folder: string, name: string, json: object): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), JSON.stringify(json, null, 2))
}
