import { goal } from '../../goal.ts'
import type { Chart, Goal, ScenarioResult, Table } from '../../interface.ts'
import { significant } from '../../statistics.ts'
import { LIES } from './liar.ts'
import type { LiarFigures, LiarSizes } from './liars.ts'
import type { EclipseFigure, EclipseFigures } from './sybils.ts'

const LARGEST_SHARE = 0.3
const LEAST_RIGHT = 0.99

export function resultOf(
  sizes: LiarSizes,
  figures: readonly LiarFigures[],
  eclipses: EclipseFigures
): ScenarioResult {
  return {
    notes: [
      `Real: ${sizes.nodes} whole nodes in one process, connected in memory. Liars, chosen at random, are of one kind: silent ones take every question and never answer; forgetful ones accept everything and hold nothing; stale ones accept everything, and answer with what came first; forging ones answer with what came last, expiring later, under its old signature. Liars name only other liars. An honest node stores a value under a key of its own, and another in its place; another honest node reads it with \`latest\`, as first of all. ${sizes.reads} records for each row.`,
      `Simulated: the same code for searching and storing against ${sizes.simulated} nodes whose routing tables are full, ${sizes.keys} keys. An attacker's nodes accept everything, hold nothing, and name only each other. Ids cost nothing but the hashing that it takes to be nearer to a key than others: in a network of n nodes some n tries for each.`
    ],
    tables: [
      liarTable(figures),
      eclipseTable(
        'With attackers anywhere (simulated)',
        'of all nodes',
        eclipses.anywhere,
        (share) => `${Math.round(share * 100)} %`
      ),
      eclipseTable(
        'With attackers that are the nearest to the key (simulated)',
        'nearest',
        eclipses.nearest,
        String
      )
    ],
    charts: [liarChart(sizes, figures)],
    goals: goals(figures)
  }
}

function liarTable(figures: readonly LiarFigures[]): Table {
  return {
    title: 'Reads with `latest` among liars',
    columns: [
      { title: 'liars' },
      { title: 'share', unit: '%' },
      { title: 'right', unit: '%' },
      { title: 'older' },
      { title: 'missing' },
      { title: 'forged' },
      { title: 'reads' }
    ],
    rows: figures.map(({ lie, share, right, older, missing, forged, reads }) => [
      lie,
      Math.round(share * 100),
      significant((100 * right) / reads, 4),
      older,
      missing,
      forged,
      reads
    ])
  }
}

function eclipseTable(
  title: string,
  what: string,
  figures: readonly EclipseFigure[],
  show: (attackers: number) => string
): Table {
  return {
    title,
    columns: [{ title: `attackers, ${what}` }, { title: 'read', unit: '%' }, { title: 'keys' }],
    rows: figures.map(({ attackers, read, keys }) => [
      show(attackers),
      significant((100 * read) / keys, 4),
      keys
    ])
  }
}

function liarChart({ shares }: LiarSizes, figures: readonly LiarFigures[]): Chart {
  return {
    name: 'liars',
    title: 'Reads with latest that are right, by the share of liars',
    kind: 'lines',
    x: { title: 'liars (%)', values: shares.map((share) => Math.round(share * 100)) },
    y: { title: 'right (%)' },
    series: LIES.map((lie) => ({
      title: lie,
      values: figures
        .filter((each) => each.lie === lie)
        .map(({ right, reads }) => significant((100 * right) / reads, 4))
    }))
  }
}

function goals(figures: readonly LiarFigures[]): Goal[] {
  return LIES.map((lie) => {
    const counted = figures.filter((each) => each.lie === lie && each.share <= LARGEST_SHARE)
    const worst = Math.min(...counted.map(({ right, reads }) => right / reads))
    return goal(`up to 30 % ${lie} liars: a latest get is right at least 99 % of the time`, {
      value: worst,
      isGood: (share) => share >= LEAST_RIGHT,
      show: (share) => `${significant(100 * share, 4)} % at worst`
    })
  })
}
