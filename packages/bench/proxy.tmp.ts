import net from 'node:net'
import { once } from 'node:events'
import { SlowLink } from '/work/trees/links/packages/bench/src/nodes/slow-link.ts'
for (const [mbit, delay, win, part] of [[1.5, 50, 25000, 6000], [1.5, 50, 200000, 16000], [8, 5, 20000, 5000]] as const) {
  const link = new SlowLink({ mbitPerSecond: mbit, delayMs: delay })
  // echo an ack byte for each `part` bytes received
  const server = net.createServer((s) => { let n = 0; s.setNoDelay(); s.on('data', (d) => { n += d.length; while (n >= part) { n -= part; s.write('a') } }) }).listen(0, '127.0.0.1'); await once(server, 'listening')
  const port = await link.open(() => (server.address() as any).port)
  const c = net.connect(port, '127.0.0.1'); await once(c, 'connect'); c.setNoDelay()
  let inFlight = 0, total = 0; const sent: number[] = []; const rtts: number[] = []
  const pump = () => { while (inFlight + part <= win) { c.write(Buffer.alloc(part)); inFlight += part; sent.push(performance.now()) } }
  c.on('data', (d) => { for (let i = 0; i < d.length; i++) { inFlight -= part; total += part; rtts.push(performance.now() - (sent.shift() as number)) } pump() })
  const t0 = performance.now(); pump(); await new Promise((r) => setTimeout(r, 4000))
  console.log(mbit, delay, win, 'rate B/ms', (total / (performance.now() - t0)).toFixed(0), 'of', link.bytesPerMs, 'rtt', rtts.slice(-8).map(Math.round).join(' '))
  c.destroy(); server.close(); await link[Symbol.asyncDispose]()
}
process.exit()
