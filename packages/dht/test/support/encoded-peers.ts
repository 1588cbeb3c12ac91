import { ByteReader, ByteWriter } from '../../src/wire/bytes.ts'
import { type EncodedPeer, PEER_FIELDS, type PeerFields } from '../../src/wire/fields.ts'

/** A peer as a response introduces it, whatever its fields are. */
export function encodedPeer(fields: PeerFields): EncodedPeer {
  const writer = new ByteWriter()
  PEER_FIELDS.write(writer, fields)
  return writer.take()
}

/** The fields of a peer that a response introduces. */
export function fieldsOf(peer: EncodedPeer): PeerFields {
  return PEER_FIELDS.read(new ByteReader(peer))
}
