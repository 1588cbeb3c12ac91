import { chaos } from '/work/trees/links/packages/bench/src/scenarios/chaos/chaos.ts'
const signal = AbortSignal.timeout(230_000)
const r = await chaos.run({ effort: 'full', signal, log: (l) => console.error(l) })
for (const g of r.goals) console.log(JSON.stringify(g))
console.log(r.notes.slice(3).join('\n'))
for (const t of r.tables) console.log(JSON.stringify(t))
process.exit(0)
