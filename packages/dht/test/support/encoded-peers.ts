import { ByteReader, ByteWriter } from '../../src/wire/bytes.ts'
import { type EncodedPeer, PEER_FIELDS, type PeerFields } from '../../src/wire/fields.ts'

/** Encodes a peer as responses do, whatever its fields are. */
export function encodedPeer(fields: PeerFields): EncodedPeer {
  const writer = new ByteWriter()
  PEER_FIELDS.write(writer, fields)
  return writer.take()
}

/** Decodes the fields of a peer in a response. */
export function fieldsOf(peer: EncodedPeer): PeerFields {
  return PEER_FIELDS.read(new ByteReader(peer))
}
