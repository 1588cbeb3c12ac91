import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { waggle } from '../support/waggle-process.ts'

/** Returns bash's completions of the last of some words. */
async function offered(...words: string[]): Promise<string[]> {
  const { stdout } = await waggle(['completion', 'bash'])
  const script = `${stdout}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _waggle; printf '%s\\n' "\${COMPREPLY[@]}"`
  const shell = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' })
  expect(shell.stderr).toBe('')
  return shell.stdout.trim().split('\n')
}

describe('waggle completion', () => {
  it('has bash complete commands, options and files', async () => {
    expect(await offered('waggle', 'st')).toEqual(['store', 'stats'])
    expect(await offered('waggle', 'get', '--la')).toEqual(['--latest'])
    expect(await offered('waggle', 'serve', '--data-dir', 'package.j')).toEqual(['package.json'])
  })

  it('describes commands and options to zsh', async () => {
    const { exitCode, stdout } = await waggle(['completion', 'zsh'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^#compdef waggle\n/)
    expect(stdout).toContain("'get:Read the value of a key'")
    expect(stdout).toMatch(/get\) options=\(.*'--latest:ask all replicas/)
  })

  it.each(['fish', 'constructor'])('says which shells there are, asked for %s', async (shell) => {
    expect(await waggle(['completion', shell])).toMatchObject({
      exitCode: 2,
      stderr: `waggle: there is no completion for ${shell}, only for bash and zsh\n`
    })
  })
})
