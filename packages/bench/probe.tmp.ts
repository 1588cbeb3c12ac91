import { DHT } from '@waggle/dht'
import { freePort, SlowLink } from '/work/trees/links/packages/bench/src/nodes/slow-link.ts'
import { CongestionWindow } from '/work/trees/links/packages/dht/src/wire/congestion-window.ts'
const [mbit, delay, n, kib = '4', servers = '2'] = process.argv.slice(2).map(Number)
const link = new SlowLink({ mbitPerSecond: mbit, delayMs: delay })
const addrs: string[] = [], direct: string[] = [], S: DHT[] = []
for (let i = 0; i < (servers || 2); i++) {
  const port = await freePort()
  const a = `127.0.0.1:${await link.open(() => port)}`
  S.push(await DHT.create({ listenOn: `127.0.0.1:${port}`, announce: [a], initialPeers: direct.slice(0, 1) }))
  addrs.push(a); direct.push(`127.0.0.1:${port}`)
}
const windows = new Set<any>()
const send = CongestionWindow.prototype.send
CongestionWindow.prototype.send = function (b, l, t) { windows.add(this); (this as any).total = ((this as any).total ?? 0) + b; return send.call(this, b, l, t) }
const recv = CongestionWindow.prototype.receive
CongestionWindow.prototype.receive = function (b, t) { const parts = (this as any).times ??= []; return recv.call(this, b, t) }
const C = await DHT.create({ initialPeers: addrs, clientMode: true, cache: false })
const k = kib || 4
await S[0]!.storeMany(Array.from({ length: n }, (_, i) => ({ key: 'k' + i, value: new Uint8Array(k * 1024), ttl: 600 })))
await new Promise((r) => setTimeout(r, 1000))
for (const w of windows) w.total = 0
const show = (t0: number) => console.log('  ', Math.round(performance.now() - t0), [...windows].filter((w) => w.total > 20000).map((w) => `${Math.round(w.bytes)}/${w.inFlight}/${Math.round((w.total ?? 0) / 1024)}K d${Math.round(Math.min(w.dbg?.d ?? 0))}`).join('  '))
for (const [what, f] of [['get', () => C.getMany(Array.from({ length: n }, (_, i) => 'k' + i))], ['put', () => C.storeMany(Array.from({ length: n }, (_, i) => ({ key: 'p' + i, value: new Uint8Array(k * 1024), ttl: 600 })))]] as const) {
  const t0 = performance.now(); const timer = setInterval(() => show(t0), Math.max(500, delay * 4))
  const lat: number[] = []; let over = false
  const small = (async () => { await new Promise((r) => setTimeout(r, 50)); while (!over) { const t = performance.now(); await C.get('none' + Math.random()); lat.push(Math.round(performance.now() - t)); await new Promise((r) => setTimeout(r, 50)) } })()
  const r = await f(); over = true; clearInterval(timer); await small
  const ms = performance.now() - t0
  console.log(what, 'ms', Math.round(ms), 'right', r.filter(Boolean).length, 'share', (n * k * 1024 * (what === 'put' ? S.length : 1) / (link.bytesPerMs * ms)).toFixed(2), 'small', lat.join(' '))
  show(t0); for (const w of windows) w.total = 0
}
process.exit()
