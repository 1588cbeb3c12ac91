import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { guard } from './guard/guard.ts'
import { CHARTS_FOLDER, report } from './report/report.ts'
import { terminal } from './report/text.ts'
import type { RunOptions, Scenario } from './result/result.ts'
import { mergeResults, readResults } from './result/results-file.ts'
import { scenarios } from './scenarios.ts'
import { OTHERS, WAGGLE } from './systems/contestants.ts'
import { circumstances } from './systems/machine.ts'

/** What the command touches. */
export interface CommandIO {
  out(line: string): void
  err(line: string): void

  /** File of the results to keep, next to the report. */
  readonly defaultOut: string
  readonly signal: AbortSignal
}

/** Runs scenarios, the guard, or the report. Resolves with the exit code. */
export async function run(args: readonly string[], io: CommandIO): Promise<number> {
  let action: () => Promise<number>

  try {
    action = parse(args, io)
  } catch (error) {
    io.err(`${(error as Error).message}\n${usage()}`)
    return 2
  }

  try {
    return await action()
  } catch (error) {
    const { stack, message } = (io.signal.aborted ? io.signal.reason : error) as Error
    io.err(io.signal.aborted ? message : (stack ?? message))
    return 1
  }
}

/** A quick run has no meaning, and one of some systems is incomplete: they are kept only where the caller says so. */
function parse(args: readonly string[], io: CommandIO): () => Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options })
  const { quick, system: systems, out: file } = values
  const [first, commit] = positionals

  if (first === 'guard') {
    return () => guard(commit ?? '', { ...io, log: io.err })
  }

  if (first === 'report') {
    return async () => writeReport(io.defaultOut)
  }

  assertKnown('system', systems ?? [], [WAGGLE, ...OTHERS])
  assertKnown('scenario', positionals, scenarios)
  const isKept = file !== undefined || (!quick && systems === undefined)
  const effort = quick ? 'quick' : 'full'
  const chosen = scenarios.filter(({ name, isLong }) =>
    positionals.length > 0 ? positionals.includes(name) : !isLong
  )
  const runOptions = { effort, systems, signal: io.signal, log: io.err } as const

  return async () => {
    for (const scenario of chosen) {
      await runOne(scenario, runOptions, isKept ? resolve(file ?? io.defaultOut) : undefined, io)
    }

    return 0
  }
}

const options = {
  quick: { type: 'boolean', default: false },
  system: { type: 'string', multiple: true },
  out: { type: 'string' }
} as const

async function runOne(
  { name, title, ...scenario }: Scenario,
  runOptions: RunOptions,
  file: string | undefined,
  io: CommandIO
): Promise<void> {
  io.out(`\n${name}: ${title}\n`)
  const where = circumstances()
  const result = await scenario.run(runOptions)
  io.out(terminal(result))

  if (file !== undefined) {
    mergeResults(file, { [name]: { title, effort: runOptions.effort, ...where, result } })
    io.out(`\nWritten to ${relative(process.cwd(), file)}.`)
  }
}

/** Writes the report and its charts next to the results, and removes charts that do not exist any more. */
function writeReport(results: string): number {
  const folder = dirname(results)
  rmSync(join(folder, CHARTS_FOLDER), { recursive: true, force: true })
  mkdirSync(join(folder, CHARTS_FOLDER))

  for (const [path, content] of report(readResults(results), names(scenarios))) {
    writeFileSync(join(folder, path), content)
  }

  return 0
}

function assertKnown(
  what: string,
  wanted: readonly string[],
  known: readonly { readonly name: string }[]
): void {
  for (const name of wanted) {
    if (!names(known).includes(name)) {
      throw new Error(`no ${what} is called ${name}: there are ${names(known).join(', ')}`)
    }
  }
}

function names(all: readonly { readonly name: string }[]): string[] {
  return all.map(({ name }) => name)
}

function usage(): string {
  const list = (isWanted: boolean): string[] =>
    scenarios
      .filter(({ isLong = false }) => isLong === isWanted)
      .map(({ name, title }) => `  ${name.padEnd(10)} ${title}`)

  return [
    'usage: pnpm bench [scenario ...] [--quick] [--system NAME ...] [--out FILE]',
    ...list(false),
    'and only when named:',
    ...list(true),
    'pnpm bench guard COMMIT   compares this checkout with a commit, in under five minutes',
    'pnpm bench report         writes the report from the kept results'
  ].join('\n')
}
