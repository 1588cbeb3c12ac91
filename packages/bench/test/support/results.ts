import type { RecordedResult } from '../../src/result/results-file.ts'

/** A result that has something of everything. */
export const RECORDED: RecordedResult = {
  title: 'Something beside something else.',
  effort: 'full',
  machine: { cpu: 'A processor', cores: 2, memoryBytes: 8e9, os: 'Linux 6', load: 0.25 },
  versions: { node: '24.0.0', libp2p: '3.0.0' },
  commit: '0123456789ab',
  date: '2026-01-02',
  result: {
    notes: ['In a certain way.', 'With care.'],
    tables: [
      {
        title: 'A table',
        columns: ['system', 'p50 (ms)', 'a | b'],
        rows: [
          ['Waggle', 0.123456, 10_000],
          ['other', null, 2]
        ]
      }
    ],
    goals: [
      { text: 'fast', measured: '1 ms', isMet: true },
      { text: 'small', measured: '9 MB', isMet: false },
      { text: 'known', measured: 'not measured', isMet: undefined }
    ]
  }
}
