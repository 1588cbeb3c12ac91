"""A process with one peer of Python Hivemind, which does what the parent process calls for."""

import ctypes
import json
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import hivemind
from hivemind.utils import get_dht_time

PR_SET_PDEATHSIG = 1
START_TIMEOUT = 60
CALL_TIMEOUT = 60

peer = None
lock = threading.Lock()


async def _die_with_parent(_dht, _node):
    """Hivemind forks: what kills this process has to reach the forked one."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(options):
    global peer
    peer = hivemind.DHT(
        initial_peers=options.get("initialPeers") or [],
        client_mode=options.get("clientMode", False),
        start=False,
    )
    peer.run_in_background(await_ready=True, timeout=START_TIMEOUT)
    peer.run_coroutine(_die_with_parent)
    return [[str(address) for address in peer.get_visible_maddrs()]]


def store(key, value, expirationTime, subkey=None):
    future = peer.store(
        key, value, subkey=subkey, expiration_time=float(expirationTime), return_future=True
    )
    return future.result(CALL_TIMEOUT)


def get(key, latest):
    found = peer.get(key, latest=latest, return_future=True).result(CALL_TIMEOUT)
    if found is None:
        return None
    if isinstance(found.value, dict):
        entries = [[subkey, {"value": item.value}] for subkey, item in found.value.items()]
        return {"value": entries}
    return {"value": found.value}


def time_calls(count, prefix):
    """Stores keys and gets them, one after the other, and returns the milliseconds of each call."""
    keys = [f"{prefix} {i}" for i in range(count)]
    expiration = get_dht_time() + 300
    return {
        "storeMs": time_each(keys, lambda key: peer.store(key, "x", expiration_time=expiration)),
        "getMs": time_each(keys, lambda key: peer.get(key, latest=True)),
    }


def time_each(keys, call):
    times = []
    for key in keys:
        start_s = time.perf_counter()
        if not call(key):
            raise RuntimeError(f"a call for {key} failed")
        times.append(1000 * (time.perf_counter() - start_s))
    return times


HANDLERS = {"start": start, "store": store, "get": get, "timeCalls": time_calls}


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def reply(request):
        try:
            answer = {"id": request["id"], "result": HANDLERS[request["name"]](**request["params"])}
        except BaseException as error:
            answer = {"id": request["id"], "error": repr(error)}
        with lock:
            print(json.dumps(answer), file=answers, flush=True)

    with ThreadPoolExecutor(32) as pool:
        for line in sys.stdin:
            request = json.loads(line)
            # Threads and forks do not go together.
            reply(request) if request["name"] == "start" else pool.submit(reply, request)

    if peer is not None:
        peer.shutdown()


if __name__ == "__main__":
    main()
