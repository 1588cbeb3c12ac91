import type { Goal, ScenarioResult, Table } from '../../interface.ts'
import { significant } from '../../statistics.ts'
import type { TrialFigures } from './trial.ts'

/** Far less than a timeout, and enough for a busy machine. */
const AT_ONCE_MS = 500

export function resultOf(trials: readonly TrialFigures[], servers: number): ScenarioResult {
  return {
    notes: [
      `A client, and ${servers} peers that each hold every record, a process each, on one machine. Streams are those of the exchange that the client had opened before; one is kept if it is open on the same connection afterwards.`
    ],
    tables: [trialTable(trials)],
    charts: [],
    goals: trials.flatMap((trial) => goalsOf(trial, servers))
  }
}

function trialTable(trials: readonly TrialFigures[]): Table {
  return {
    title: 'What became of the streams',
    columns: [
      { title: 'trial' },
      { title: 'took', unit: 's' },
      { title: 'gets meanwhile' },
      { title: 'right' },
      { title: 'slowest', unit: 'ms' },
      { title: 'streams' },
      { title: 'kept' },
      { title: 'first get afterwards', unit: 'ms' },
      { title: 'first store afterwards', unit: 'ms' }
    ],
    rows: trials.map((trial) => [
      trial.trial,
      significant(trial.tookMs / 1000),
      trial.asked,
      trial.right,
      significant(trial.slowestMs),
      trial.streams,
      trial.kept,
      significant(trial.getAfterMs),
      significant(trial.storeAfterMs)
    ])
  }
}

function goalsOf(
  { trial, asked, right, streams, kept, getAfterMs, storeAfterMs, isRightAfter }: TrialFigures,
  servers: number
): Goal[] {
  const meanwhile: Goal = {
    text: `${trial}: every get meanwhile is right`,
    measured: `${right} of ${asked}`,
    isMet: right === asked
  }

  return [
    {
      text: `${trial}: every stream is kept`,
      measured: `${kept} of ${streams}`,
      isMet: streams === servers && kept === streams
    },
    {
      text: `${trial}: operations succeed at once afterwards`,
      measured: `get ${significant(getAfterMs)} ms, store ${significant(storeAfterMs)} ms`,
      isMet: isRightAfter && Math.max(getAfterMs, storeAfterMs) <= AT_ONCE_MS
    },
    ...(asked > 0 ? [meanwhile] : [])
  ]
}
