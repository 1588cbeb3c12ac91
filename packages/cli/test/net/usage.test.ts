import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { waggle } from '../support/waggle-process.ts'

/** What somebody may write, and what they are to be told. */
const WRONG: readonly (readonly [args: string, told: RegExp])[] = [
  ['stroe k v', /unknown command 'stroe'\n?\(Did you mean store\?\)/],
  ['store k', /missing required argument 'value'/],
  ['get a b', /too many arguments for 'get'.* a, b\. What has spaces needs quotes/],
  ['get k --lates', /unknown option '--lates'\n?\(Did you mean --latest\?\)/],
  ['store k {"a":', /the value begins like JSON and is not: .*quotes/],
  [
    'store k {a:1}',
    /the value begins like JSON and is not: .* or 'text:\{a:1\}' for text as it is/
  ],
  ['store k base64:$$$', /after base64: come bytes in Base64, as in base64:aGVsbG8=/],
  ['store k v --ttl soon', /--ttl soon is no length of time: use seconds, as in 600, or 90s/],
  ['store k v --ttl 40d', /--ttl 40d is longer than 30 d, for which anything is kept at most/],
  ['store k v --num-replicas 0 -p 127.0.0.1:1', /--num-replicas 0 is no whole number from 1 up/],
  ['store k v --ttl 60 --expiration-time 1800000000', /give either --ttl or --expiration-time/],
  ['store k v --expiration-time tomorrow', /--expiration-time tomorrow is no moment: use Unix/],
  [
    'get k --initial-peers elsewhere',
    /--initial-peers: "elsewhere" is not an address; use host:port/
  ],
  ['serve --listen-on example.org:1337', /--listen-on: .* has a host name.*use host:port/],
  ['serve --metrics-port 99999', /--metrics-port 99999 is no port: the last one is 65535/],
  ['peers --count none', /--count none is no whole number from 1 up/],
  ['get {"a":1}', /the key \{"a":1\} holds an object, and an object can't be a key/],
  [
    'serve --client --serve-relay -p :1',
    /--serve-relay is for nodes that others can connect to.* or --client/
  ],
  ['serve --durability never', /--durability must be one of "relaxed", "written"/]
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

/** Node's own answer to what it is. All that this command does before it looks at it is real. */
function asNode(version: string): Record<string, string> {
  const pretend = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(pretend)}` }
}

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
    'import',
    'export',
    'party',
    'top',
    'identity',
    'completion'
  ])('teaches %s by examples', async (command) => {
    const { exitCode, stdout } = await waggle([command, '--help'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(new RegExp(`Examples:\\n {2}.*waggle ${command}`))
    expect(stdout).toContain('--json')
  })
})
