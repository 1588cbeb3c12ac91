"""Peers of Python Hivemind, driven by JSON lines: one command a line, one answer a line."""

import json
import os
import signal
import struct
import sys

import hivemind
from hivemind.dht.crypto import RSASignatureValidator
from hivemind.utils.crypto import RSAPrivateKey

peers = {}

START_TIMEOUT = 20


def bits(number):
    return struct.pack(">d", number).hex()


def encode(value):
    """Tells apart what JSON does not: what it has no word for is an object with one name."""
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return {"int": str(value)}
    if isinstance(value, float):
        return {"float": bits(value)}
    if isinstance(value, tuple):
        return {"tuple": [encode(item) for item in value]}
    if isinstance(value, list):
        return {"list": [encode(item) for item in value]}
    return {"map": [[encode(key), encode(item)] for key, item in value.items()]}


def decode(value):
    if not isinstance(value, dict):
        return value
    ((kind, inside),) = value.items()
    if kind == "bytes":
        return bytes.fromhex(inside)
    if kind == "int":
        return int(inside)
    if kind == "float":
        return struct.unpack(">d", bytes.fromhex(inside))[0]
    if kind == "tuple":
        return tuple(decode(item) for item in inside)
    if kind == "list":
        return [decode(item) for item in inside]
    return {decode(key): decode(item) for key, item in inside}


def found(result):
    if result is None:
        return None
    value, expiration = result
    is_dictionary = isinstance(value, dict) and all(
        isinstance(item, hivemind.utils.ValueWithExpiration) for item in value.values()
    )
    if is_dictionary and value:
        entries = [
            [encode(subkey), encode(item.value), bits(item.expiration_time)]
            for subkey, item in value.items()
        ]
        return {"dictionary": entries, "expiration": bits(expiration)}
    return {"value": encode(value), "expiration": bits(expiration)}


def start(name, initial_peers=(), rsa=False, **options):
    validator = RSASignatureValidator(RSAPrivateKey()) if rsa else None
    if validator is not None:
        options["record_validators"] = [validator]
    peer = hivemind.DHT(initial_peers=list(initial_peers), start=False, **options)
    peer.run_in_background(await_ready=True, timeout=START_TIMEOUT)
    peers[name] = peer
    tag = validator.local_public_key.decode() if validator is not None else None
    return {
        "maddrs": [str(address) for address in peer.get_visible_maddrs()],
        "peerId": str(peer.peer_id),
        "pid": peer.pid,
        "ownerTag": tag,
    }


def store(name, key, value, expiration, subkey=None, has_subkey=False):
    options = {"subkey": decode(subkey)} if has_subkey else {}
    return peers[name].store(decode(key), decode(value), expiration_time=decode(expiration), **options)


def get(name, key, latest=True, timeout=20):
    future = peers[name].get(decode(key), latest=latest, return_future=True)
    return found(future.result(timeout))


async def _table(_, node):
    return [str(peer) for peer in node.protocol.routing_table.peer_id_to_uid]


async def _storage(_, node):
    return len(node.protocol.storage)


def table(name):
    return peers[name].run_coroutine(_table)


def storage(name):
    return peers[name].run_coroutine(_storage)


def shutdown(name):
    peers.pop(name).shutdown()


def kill(name):
    os.kill(peers.pop(name).pid, signal.SIGKILL)


def now():
    return {"float": bits(hivemind.utils.get_dht_time())}


COMMANDS = {
    function.__name__: function
    for function in (start, store, get, table, storage, shutdown, kill, now)
}


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(json.dumps({"ready": hivemind.__version__}), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            result = COMMANDS[request["command"]](**request["arguments"])
            answer = {"id": request["id"], "result": result}
        except BaseException as error:  # the caller decides what to make of it
            answer = {"id": request["id"], "error": repr(error)}
        print(json.dumps(answer), file=answers, flush=True)
    for peer in list(peers.values()):
        peer.shutdown()


if __name__ == "__main__":
    main()
