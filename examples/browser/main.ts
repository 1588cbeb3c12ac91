/** A page as a peer: it enters a room, and shows everybody in it. */
import { DHT, type Publication } from '@waggle/dht'

import { openIndexedDB } from '@waggle/dht/indexeddb'
import { MemberForm } from './member-form.ts'
import { type Member, MemberSchema, PRESENCE_TTL, roomKey } from './room.ts'
import { View } from './view.ts'

const roomName = decodeURIComponent(location.hash.slice(1)) || 'lobby'
addEventListener('hashchange', () => location.reload())
const view = new View(roomName)

// One tab keeps its identity across reloads. Each further tab has an identity of its own.
const { datastore, privateKey } = await openIndexedDB('presence', { whenInUse: 'memory' })
const dht = await DHT.create({
  initialPeers: import.meta.env.VITE_INITIAL_PEERS.split(','),
  requireBootstrap: false, // without a network, the page waits for one
  datastore,
  privateKey
})
view.showIdentity(String(dht.peerId), datastore !== undefined)

const showPeers = () => view.showPeers(dht.peers.length)
dht.addEventListener('peer:connect', showPeers)
dht.addEventListener('peer:disconnect', showPeers)
showPeers()

const room = dht.presence(roomKey(roomName), MemberSchema, { ttl: PRESENCE_TTL })
room.watch().subscribe(({ current, changes }) => view.show(current, changes))

let me: Publication<Member> | undefined

function say(member: Member): void {
  if (me === undefined) {
    me = room.join(member)
  } else {
    me.update(member)
  }
}

function leave(): void {
  me?.stop() // says goodbye
  me = undefined
}

const form = new MemberForm(say, leave)
form.restore()

// A closed tab says goodbye if the browser gives it the time; otherwise its member is gone after `PRESENCE_TTL`.
// A page that comes back from the browser's cache enters again.
addEventListener('pagehide', leave)
addEventListener('pageshow', ({ persisted }) => persisted && form.restore())
