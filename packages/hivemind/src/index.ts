/**
 * @packageDocumentation
 *
 * Joins the DHT of Python Hivemind from JavaScript.
 */

export { float, tuple } from './msgpack/python-types.ts'
