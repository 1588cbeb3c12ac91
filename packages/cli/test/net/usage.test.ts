import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { waggle } from '../support/waggle-process.ts'

/** Wrong arguments, and the messages that they cause. */
const WRONG: readonly (readonly [args: string, told: RegExp])[] = [
  ['stroe k v', /unknown command 'stroe'\n?\(Did you mean store\?\)/],
  ['put k v', /unknown command 'put'\n?\(Did you mean store\?\)/],
  ['set k v', /unknown command 'set'\n?\(Did you mean store\?\)/],
  ['rm k', /unknown command 'rm'\n?\(Did you mean delete\?\)/],
  ['del k', /unknown command 'del'\n?\(Did you mean delete\?\)/],
  ['remov k', /unknown command 'remov'\n?\(Did you mean delete\?\)/],
  ['store k', /missing required argument 'value'/],
  ['get a b', /too many arguments for 'get'.* a, b\. Quote arguments that contain spaces/],
  ['get k --lates', /unknown option '--lates'\n?\(Did you mean --latest\?\)/],
  ['store k {"a":', /the value begins like JSON but is not valid JSON: .*quotes/],
  [
    'store k {a:1}',
    /the value begins like JSON but is not valid JSON: .* or 'text:\{a:1\}' for literal text/
  ],
  ['store k base64:$$$', /base64: must be followed by Base64, as in base64:aGVsbG8=/],
  ['store k v --ttl soon', /--ttl soon is not a duration: use seconds, as in 600, or 90s/],
  ['store k v --ttl 40d', /--ttl 40d exceeds 30 d, the longest lifetime/],
  [
    'store k v --num-replicas 0 -p 127.0.0.1:1',
    /--num-replicas must be an integer of at least 1, not 0/
  ],
  ['store k v --ttl 60 --expiration-time 1800000000', /give either --ttl or --expiration-time/],
  [
    'store k v --expiration-time tomorrow',
    /--expiration-time tomorrow is not a timestamp: use Unix/
  ],
  [
    'get k --initial-peers elsewhere',
    /--initial-peers: "elsewhere" is not an address; use host:port/
  ],
  ['serve --listen-on example.org:1337', /--listen-on: .* has a host name.*use host:port/],
  ['serve --local-port 65530', /--local-port must be a port up to 65526, not 65530/],
  ['serve --metrics-port 99999', /--metrics-port must be a port up to 65535, not 99999/],
  ['peers --count none', /--count must be an integer of at least 1, not none/],
  ['get {"a":1}', /the key \{"a":1\} contains an object, and an object can't be a key/],
  [
    'serve --client --serve-relay -p :1',
    /--serve-relay is for nodes that others can dial.* or --client/
  ],
  ['serve --durability never', /--durability must be one of "relaxed", "written"/],
  ['serve --durability synced', /--durability needs a --data-dir/],
  ['serve --announce nowhere', /--announce: "nowhere" is not/],
  [
    'store k v --expiration-time 99999999999',
    /--expiration-time 99999999999 is .* ahead, more than/
  ],
  ['get k --swarm-key /dev/null -p 127.0.0.1:1', /--swarm-key must be/]
]

describe('a wrong usage', () => {
  it.concurrent.each(WRONG)('of the kind "%s" is told what is right', async (args, told) => {
    const { exitCode, stdout, stderr } = await waggle(args.split(' '))

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(told)
    expect(stderr).toMatch(/^waggle: /)
    expect(stderr).not.toMatch(/^\s+at /m)
  })
})

/**
 * Makes an environment in which Node reports this version. Everything that the command does before it checks the
 * version is real.
 */
function asNode(version: string): Record<string, string> {
  const pretend = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(pretend)}` }
}

describe('waggle without a command', () => {
  it('shows the help, and fails', async () => {
    const { exitCode, stdout, stderr } = await waggle([])

    expect(exitCode).toBe(2)
    expect(stdout + stderr).toMatch(/Usage: waggle.*First steps/s)
  })
})

describe('a wrong usage in a program', () => {
  it('is told in one line of JSON', async () => {
    expect(await waggle(['get', 'k', '--json', '--lates'])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: '{"error":"unknown option \'--lates\'\\n(Did you mean --latest?)"}\n'
    })
  })
})

describe('a Node that is too old', () => {
  it.concurrent.each(['20.20.2', '22.11.0'])('as %s is, is told so', async (version) => {
    expect(await waggle(['--version'], { env: asNode(version) })).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `waggle: needs Node 22.12 or newer, and this is ${version}\n`
    })
  })

  it('is one that is older than what the package asks for', async () => {
    const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
    const [, oldest] = /^>=([\d.]+)$/.exec(JSON.parse(manifest).engines.node) ?? []

    const { exitCode } = await waggle(['--version'], { env: asNode(`${oldest}.0`) })
    expect(exitCode).toBe(0)
  })
})

describe('waggle --help', () => {
  it('shows all commands, and the first steps', async () => {
    const { exitCode, stdout } = await waggle(['--help'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/serve[\s\S]*store[\s\S]*First steps/)
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('3 too few servers answered;')
  })

  it.concurrent.each([
    'serve',
    'store',
    'get',
    'delete',
    'watch',
    'peers',
    'ping',
    'stats',
    'inspect',
    'import',
    'export',
    'party',
    'top',
    'id',
    'completion'
  ])('teaches %s by examples', async (command) => {
    const { exitCode, stdout } = await waggle([command, '--help'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(new RegExp(`Examples:\\n {2}.*waggle ${command}`))
    expect(stdout).toContain('--json')
  })
})
