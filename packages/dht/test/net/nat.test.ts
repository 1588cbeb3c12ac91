import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import type { UpgradeReport } from '../support/public-address-main.ts'

const MAIN = fileURLToPath(new URL('../support/public-address-main.ts', import.meta.url))

/** An address that libp2p considers public. It belongs to the namespace's own loopback. */
const PUBLIC_ADDRESS = '44.31.7.1'
const IN_NAMESPACE = `ip link set lo up && ip address add ${PUBLIC_ADDRESS}/32 dev lo && exec "$0" "$@"`

/** Whether this process may make network namespaces, which need Linux and root. */
const isRoot = process.platform === 'linux' && process.getuid?.() === 0

async function report(): Promise<UpgradeReport> {
  const command = [process.execPath, '--conditions=@waggle/source', MAIN, PUBLIC_ADDRESS]
  const { stdout } = await promisify(execFile)(
    'unshare',
    ['--net', 'sh', '-c', IN_NAMESPACE, ...command],
    { timeout: 60_000 }
  )
  return JSON.parse(stdout) as UpgradeReport
}

describe('where addresses are public', () => {
  beforeEach(({ skip }) => skip(!isRoot, 'as only root, on Linux, can make network namespaces'))

  it('a node gives away the one that it listens on, whoever may have confirmed it', async () => {
    const { relayAddresses } = await report()
    const [tcp, webSocket, ...others] = relayAddresses
    expect(tcp).toContain(`/ip4/${PUBLIC_ADDRESS}/tcp/`)
    expect(webSocket).toBe(tcp?.replace('/p2p/', '/ws/p2p/'))
    expect(others).toEqual([])
  })

  it('a connection through a relay is replaced by a direct one, dialled by the node that nobody can connect to (DCUtR)', async () => {
    expect(await report()).toMatchObject({ isRelayed: true, direct: 'inbound', isRelayLeft: true })
  })
})
