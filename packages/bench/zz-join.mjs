import { DHT } from '@waggle/dht'
const max = Number(process.argv[2])
const nodes = [], known = []
let t = performance.now(), cpu = process.cpuUsage(), opened = 0
for (let i = 0; i < max; i++) {
  const s = performance.now()
  const n = await DHT.create({ listenOn: '127.0.0.1:0', initialPeers: known.length ? [known[Math.floor(Math.random() * known.length)]] : [], bootstrapTimeoutMs: 60000, requireBootstrap: known.length > 0 })
  n.libp2p.addEventListener('connection:open', () => opened++)
  nodes.push(n); known.push(n.multiaddrs[0])
  if ((i + 1) % 25 === 0) {
    const c = process.cpuUsage(cpu), now = performance.now()
    console.log(i + 1, 'ms per join', ((now - t) / 25).toFixed(0), 'cpu', ((c.user + c.system) / 25e3).toFixed(0), 'opened/join', (opened / 50).toFixed(1), 'conns', (nodes.reduce((a, n) => a + n.libp2p.getConnections().length, 0) / nodes.length).toFixed(1), 'known', (nodes.reduce((a, n) => a + n.stats().knownPeers, 0) / nodes.length).toFixed(1))
    t = now; cpu = process.cpuUsage(); opened = 0
  }
}
if (process.argv[3]) { for (let k = 0; k < 6; k++) { cpu = process.cpuUsage(); opened = 0; await new Promise(r => setTimeout(r, 5000)); const c = process.cpuUsage(cpu); console.log('idle cpu %', ((c.user + c.system) / 5e4).toFixed(1), 'opened', opened / 2) } }
process.exit()
