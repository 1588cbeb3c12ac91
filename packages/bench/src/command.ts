import { relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Effort, Scenario } from './interface.ts'
import { circumstances } from './machine.ts'
import { terminal } from './report/terminal.ts'
import { mergeResults } from './results-file.ts'
import { longScenarios, scenarios } from './scenarios.ts'
import { OTHERS, WAGGLE } from './systems/contestants.ts'

/** What the command touches. */
export interface CommandIO {
  out(line: string): void
  err(line: string): void

  /** Where results go that are to be kept. */
  readonly defaultOut: string
  readonly signal: AbortSignal
}

interface Arguments {
  readonly chosen: readonly Scenario[]
  readonly effort: Effort

  /** Names of systems; undefined for all. */
  readonly systems: readonly string[] | undefined

  /** Undefined where nothing is to be written. */
  readonly out: string | undefined
}

/** Runs scenarios, and shows and keeps what they find. Answers the exit code. */
export async function run(args: readonly string[], io: CommandIO): Promise<number> {
  let parsed: Arguments

  try {
    parsed = parse(args, io.defaultOut)
  } catch (error) {
    io.err(`${messageOf(error)}\n${usage()}`)
    return 2
  }

  try {
    for (const scenario of parsed.chosen) {
      await runOne(scenario, parsed, io)
    }

    return 0
  } catch (error) {
    io.err(io.signal.aborted ? messageOf(io.signal.reason) : ((error as Error).stack ?? ''))
    return 1
  }
}

async function runOne(
  scenario: Scenario,
  { effort, systems, out }: Arguments,
  io: CommandIO
): Promise<void> {
  const { name, title } = scenario
  io.out(`\n━━ ${name}: ${title}\n`)
  const where = circumstances()
  const result = await scenario.run({ effort, systems, signal: io.signal, log: io.err })
  io.out(terminal(result))

  if (out !== undefined) {
    mergeResults(out, { [name]: { title, effort, ...where, result } })
    io.out(`\nWritten to ${relative(process.cwd(), out)}.`)
  }
}

/** A quick run means nothing, and one of some systems is not whole: they are kept only where the caller says so. */
function parse(args: readonly string[], defaultOut: string): Arguments {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options })
  const { quick, system, out } = values
  const isWhole = !quick && system === undefined

  for (const name of system ?? []) {
    assertSystem(name)
  }

  return {
    chosen: positionals.length === 0 ? scenarios : positionals.map(scenarioCalled),
    effort: quick ? 'quick' : 'full',
    systems: system,
    out: out === undefined ? (isWhole ? defaultOut : undefined) : resolve(out)
  }
}

const options = {
  quick: { type: 'boolean', default: false },
  system: { type: 'string', multiple: true },
  out: { type: 'string' }
} as const

function assertSystem(name: string): void {
  const names = [WAGGLE, ...OTHERS].map((each) => each.name)

  if (!names.includes(name)) {
    throw new Error(`no system is called ${name}: there are ${names.join(', ')}`)
  }
}

function scenarioCalled(name: string): Scenario {
  const scenario = [...scenarios, ...longScenarios].find((each) => each.name === name)

  if (scenario === undefined) {
    throw new Error(`no scenario is called ${name}`)
  }

  return scenario
}

function usage(): string {
  const list = (these: readonly Scenario[]): string[] =>
    these.map(({ name, title }) => `  ${name.padEnd(10)} ${title}`)

  return [
    'usage: pnpm bench [scenario ...] [--quick] [--system NAME ...] [--out FILE]',
    ...list(scenarios),
    'and, when named:',
    ...list(longScenarios)
  ].join('\n')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
