"""bench.py CONTESTANT ROW seconds|calls N: as bench.c does it, with a contestant in Python.

A contestant is a module with a function `worker()`, called once in each thread, whose result has
`get(key)` (the value), `list(prefix)` (the values) and `put(key, value)`. For 32 in flight from one thread it has `AsyncWorker`, an asynchronous context
manager with a coroutine `get(key)`.
"""

import asyncio
import importlib
import resource
import sys
import threading
import time

THREADS, IN_FLIGHT, LISTED, LISTED_BYTES, BIG = 32, 32, 1000, 64000, 256 * 1024


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def check(got, wanted):
    if got != wanted:
        sys.exit(f"the answer is not what was written: {got}, not {wanted}")


def get(worker):
    check(len(worker.get("bench/small")), 5)


def put(worker):
    worker.put("bench/put", b"12345")


def list_keys(worker):
    values = worker.list("bench/list/")
    check(len(values), LISTED)
    check(sum(map(len, values)), LISTED_BYTES)


def big(worker):
    check(len(worker.get("bench/big")), BIG)


CALLS = {"get": get, "put": put, "get32": get, "list": list_keys, "big": big}


def run(call, worker, seconds, calls):
    done, until = 0, time.perf_counter() + seconds
    while done < calls if calls else done == 0 or time.perf_counter() < until:
        call(worker)
        done += 1
    return done


def report(done, began, used):
    print(f"{done} {time.perf_counter() - began:.6f} {cpu() - used:.6f}")


def run_one(new, call, seconds, calls):
    worker = new()
    run(call, worker, seconds / 10, 0)
    began, used = time.perf_counter(), cpu()
    report(run(call, worker, seconds, calls), began, used)


def run_threads(new, call, seconds):
    warm, start, done = threading.Barrier(THREADS + 1), threading.Barrier(THREADS + 1), []

    def thread():
        worker = new()
        run(call, worker, seconds / 10, 0)
        warm.wait()
        start.wait()
        done.append(run(call, worker, seconds, 0))

    threads = [threading.Thread(target=thread) for _ in range(THREADS)]
    for each in threads:
        each.start()
    warm.wait()
    began, used = time.perf_counter(), cpu()
    start.wait()
    for each in threads:
        each.join()
    check(len(done), THREADS)
    report(sum(done), began, used)


async def task(worker, seconds):
    done, until = 0, time.perf_counter() + seconds
    while done == 0 or time.perf_counter() < until:
        check(len(await worker.get("bench/small")), 5)
        done += 1
    return done


async def run_in_flight(new, seconds):
    async with new() as worker:
        await asyncio.gather(*(task(worker, seconds / 10) for _ in range(IN_FLIGHT)))
        began, used = time.perf_counter(), cpu()
        report(sum(await asyncio.gather(*(task(worker, seconds) for _ in range(IN_FLIGHT)))), began, used)


def main():
    contestant, row, unit, amount = sys.argv[1:]
    module = importlib.import_module(contestant)
    if row == "flight":
        asyncio.run(run_in_flight(module.AsyncWorker, float(amount)))
        return
    new = module.worker
    if row == "get32":
        run_threads(new, CALLS[row], float(amount))
    elif unit == "calls":
        run_one(new, CALLS[row], 0.0, int(amount))
    else:
        run_one(new, CALLS[row], float(amount), 0)


main()
