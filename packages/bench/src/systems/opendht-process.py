"""OpenDHT as the scenarios drive it, without its rate limits: `opendht-process.py server|client`.

Serves the calls of its parent process, one line of JSON each, as `server-main.ts` and
`client-main.ts` declare them, and ends with it.
"""

import json
import os
import socket
import sys
import threading
import time
import traceback

import opendht

UNLIMITED = -1
VALUE_BYTES = 100

# Nodes that hold a value, and nodes in a bucket of the routing table.
TARGET_NODES = 8
SETTLE_SECONDS = 60
DELIVERY_SECONDS = 5


class Node:
    """A running node. Its address is `port/id`."""

    def __init__(self, host, bootstrap):
        config = opendht.DhtConfig()
        config.setRateLimit(UNLIMITED, UNLIMITED)
        self.runner = opendht.DhtRunner()
        self.runner.run(ipv4=host, port=0, config=config)
        self.id = self.runner.getNodeId().decode()
        self.address = f"{self.runner.getBound().getPort()}/{self.id}"

        for address in bootstrap:
            self.runner.bootstrap(host, address.split("/")[0])

    def settle(self, others):
        """Looks up random keys until the node has good neighbours."""
        deadline = time.monotonic() + SETTLE_SECONDS
        enough = min(others, TARGET_NODES)

        while self.runner.getRoutingTablesLog(socket.AF_INET).count("[good]") < enough:
            if time.monotonic() > deadline:
                raise TimeoutError(f"within {SETTLE_SECONDS} s, fewer than {enough} good nodes are known")

            self.runner.get(opendht.InfoHash.getRandom())


class Servers:
    def __init__(self):
        self.nodes = []

    def start(self, nodes, host, bootstrap):
        for _ in range(nodes):
            known = bootstrap + [node.address for node in self.nodes[:1]]
            self.nodes.append(Node(host, known))

        return [node.address for node in self.nodes]

    def settle(self, servers):
        for node in self.nodes:
            node.settle(servers - 1)

    def usage(self):
        return usage()


class Clients:
    """A node that writes, and one that reads keys that it has never seen."""

    def start(self, servers, host, bootstrap):
        self.writer = Node(host, bootstrap)
        self.reader = Node(host, bootstrap)
        self.servers = [int(address.split("/")[1], 16) for address in servers]
        self.own = [int(node.id, 16) for node in (self.writer, self.reader)]

        for node in (self.writer, self.reader):
            node.settle(len(servers))

    def run(self, operation, keys, inFlight, limitMs=float("inf")):
        operate = getattr(self, operation)
        names = [f"missing/{key}" if operation == "miss" else key for key in keys]
        tasks = [(self.hash_for(name), value_for(name)) for name in names]

        return Drive(operate, tasks, limitMs).run(inFlight)

    def watch(self, keys, warmUp):
        """Times each put from its call until the listener has its value."""
        watched = [Watched(self.reader.runner, self.hash_for(key)) for key in keys]

        for number in range(warmUp):
            for each, key in zip(watched, keys):
                each.delivery_ms(self.writer.runner, value_for(f"{key}/{number}"))

        start = time.perf_counter()
        latencies_ms = [
            each.delivery_ms(self.writer.runner, value_for(key))
            for each, key in zip(watched, keys)
        ]
        elapsed_ms = since_ms(start)

        failed = [index for index, ms in enumerate(latencies_ms) if ms is None]
        measured = [DELIVERY_SECONDS * 1000 if ms is None else ms for ms in latencies_ms]
        return {"latenciesMs": measured, "elapsedMs": elapsed_ms, "failed": failed}

    def usage(self):
        return usage()

    def store(self, key, value, done):
        self.writer.runner.put(key, opendht.Value(value), done_cb=lambda ok, _: done(ok))

    def get(self, key, value, done):
        """Ends with the first value."""
        found = []

        def on_value(each):
            if not found:
                found.append(each.data)
                done(each.data == value)

            return False

        self.reader.runner.get(
            key, get_cb=on_value, done_cb=lambda *_: None if found else done(False)
        )

    def latest(self, key, value, done):
        """Ends when all replicas have replied."""
        found = []
        self.reader.runner.get(
            key,
            get_cb=lambda each: found.append(each.data) or True,
            done_cb=lambda *_: done(value in found),
        )

    def miss(self, key, _, done):
        found = []
        self.reader.runner.get(
            key,
            get_cb=lambda each: found.append(each) or True,
            done_cb=lambda *_: done(not found),
        )

    def hash_for(self, key):
        """Skips keys whose values one of our own nodes would hold: OpenDHT has no client mode."""
        for attempt in range(1000):
            hashed = opendht.InfoHash.get(f"bench/{key}/{attempt}")
            point = int(hashed.toString(), 16)
            nearest = sorted(self.servers + self.own, key=lambda each: each ^ point)

            if len(self.servers) < TARGET_NODES or not set(self.own) & set(nearest[:TARGET_NODES]):
                return hashed

        raise RuntimeError("our own nodes are the nearest to every key")


class Watched:
    """A key that one node listens to until the process ends: the binding's cancelListen crashes."""

    def __init__(self, reader, key):
        self.reader = reader
        self.key = key
        self.wanted = None
        self.delivered = threading.Event()
        self.token = reader.listen(key, self.on_value)

    def on_value(self, value, *_):
        if value.data == self.wanted:
            self.delivered_at = time.perf_counter()
            self.delivered.set()

        return True

    def delivery_ms(self, writer, data):
        self.wanted = data
        self.delivered.clear()
        start = time.perf_counter()
        writer.put(self.key, opendht.Value(data))

        if not self.delivered.wait(DELIVERY_SECONDS):
            return None

        return (self.delivered_at - start) * 1000


class Drive:
    """Runs operations and times each. The next one starts in OpenDHT's thread, where one ends."""

    def __init__(self, operate, tasks, limit_ms):
        self.operate = operate
        self.tasks = tasks
        self.limit_ms = limit_ms
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.next = 0
        self.running = 0
        self.latencies_ms = []
        self.failed = []

    def run(self, in_flight):
        self.start = time.perf_counter()

        for _ in range(min(in_flight, len(self.tasks))):
            self.begin()

        if self.tasks:
            self.ended.wait()

        return {
            "latenciesMs": self.latencies_ms,
            "elapsedMs": since_ms(self.start),
            "failed": self.failed,
        }

    def begin(self):
        with self.lock:
            if self.next == len(self.tasks) or since_ms(self.start) > self.limit_ms:
                if self.running == 0:
                    self.ended.set()

                return

            index = self.next
            self.next += 1
            self.running += 1

        begin = time.perf_counter()
        self.operate(*self.tasks[index], lambda is_right: self.end(index, begin, is_right))

    def end(self, index, begin, is_right):
        with self.lock:
            self.latencies_ms.append(since_ms(begin))
            self.running -= 1

            if not is_right:
                self.failed.append(index)

        self.begin()


def since_ms(start):
    return (time.perf_counter() - start) * 1000


def value_for(key):
    return f"value {key} ".ljust(VALUE_BYTES, "*").encode()


def usage():
    with open("/proc/self/statm", encoding="ascii") as statm:
        pages = int(statm.read().split()[1])

    return {"cpuMs": time.process_time() * 1000, "rssBytes": pages * os.sysconf("SC_PAGE_SIZE")}


def serve(handlers):
    for line in sys.stdin:
        question = json.loads(line)

        try:
            result = getattr(handlers, question["name"])(**question["params"])
            reply = {"id": question["id"], "result": result}
        except Exception:
            reply = {"id": question["id"], "error": traceback.format_exc()}

        print(json.dumps(reply), flush=True)

    # OpenDHT's threads would keep the process.
    os._exit(0)


if __name__ == "__main__":
    serve(Clients() if sys.argv[1] == "client" else Servers())
