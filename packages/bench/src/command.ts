import { writeFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { guard } from './guard/guard.ts'
import { report } from './report/report.ts'
import { terminal } from './report/text.ts'
import { mergeResults, readResults } from './result/results-file.ts'
import { scenarios } from './scenarios.ts'
import { OTHERS, WAGGLE } from './systems/contestants.ts'
import { circumstances } from './systems/machine.ts'

/** The command's environment. */
export interface CommandIO {
  out(line: string): void
  err(line: string): void

  /** Default file of the kept results. The report lies next to it. */
  readonly defaultOut: string
  readonly defaultReport: string
  readonly signal: AbortSignal
}

type Action = () => Promise<number>

/** Runs scenarios, the guard, or the report. Resolves with the exit code. */
export async function run(args: readonly string[], io: CommandIO): Promise<number> {
  let action: Action

  try {
    action = parse(args, io)
  } catch (error) {
    io.err(`${(error as Error).message}\n${usage()}`)
    return 2
  }

  try {
    return await action()
  } catch (error) {
    io.err(io.signal.aborted ? (io.signal.reason as Error).message : ((error as Error).stack ?? ''))
    return 1
  }
}

function parse(args: readonly string[], io: CommandIO): Action {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      system: { type: 'string', multiple: true },
      out: { type: 'string' }
    }
  })
  const { quick, system: systems, out } = values
  const [first, commit] = positionals

  if (first === 'guard' && commit !== undefined) {
    return () => guard(commit, io.out, { signal: io.signal, log: io.err })
  }

  if (first === 'report') {
    const order = scenarios.map(({ name }) => name)
    return async () => {
      writeFileSync(io.defaultReport, report(readResults(io.defaultOut), order))
      return 0
    }
  }

  assertKnown('system', systems ?? [], [WAGGLE, ...OTHERS])
  assertKnown('scenario', positionals, scenarios)
  // Quick runs are meaningless, and runs of some systems are incomplete.
  const isKept = !quick && systems === undefined
  const file = out === undefined ? (isKept ? io.defaultOut : undefined) : resolve(out)
  const effort = quick ? 'quick' : 'full'
  const options = { effort, systems, signal: io.signal, log: io.err } as const

  const chosen = scenarios.filter(({ name, isLong = false }) =>
    positionals.length > 0 ? positionals.includes(name) : !isLong
  )

  return async () => {
    for (const { name, title, ...scenario } of chosen) {
      io.out(`\n${name}: ${title}\n`)
      const where = circumstances()
      const result = await scenario.run(options)
      io.out(terminal(result))

      if (file !== undefined) {
        mergeResults(file, { [name]: { title, effort, ...where, result } })
        io.out(`\nWritten to ${relative(process.cwd(), file)}.`)
      }
    }

    return 0
  }
}

function assertKnown(what: string, names: readonly string[], known: readonly { name: string }[]) {
  const all = known.map(({ name }) => name)
  const unknown = names.find((name) => !all.includes(name))

  if (unknown !== undefined) {
    throw new Error(`no ${what} is called ${unknown}: there are ${all.join(', ')}`)
  }
}

function usage(): string {
  const lines = scenarios.map(({ name, title, isLong }) => {
    return `  ${name.padEnd(12)}${title}${isLong ? ' (only when named)' : ''}`
  })

  return [
    'usage: pnpm bench [scenario ...] [--quick] [--system NAME ...] [--out FILE]',
    ...lines,
    'pnpm bench guard COMMIT   compares this checkout with a commit; exits with 1 if anything is slower',
    'pnpm bench report         writes the report from the kept results'
  ].join('\n')
}
