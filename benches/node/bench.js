// bench.js ROW seconds|calls N: as bench.c does it, with the npm package `consul` and the keep-alive
// agent that it makes itself. JavaScript has one thread: for 32 threads it has 32 calls in flight, as from one.
"use strict";

const Consul = require("consul");

const CONCURRENT = 32, LISTED = 1000, LISTED_BYTES = 64000, BIG = 256 * 1024;
const [row, unit, amount] = process.argv.slice(2);
const address = new URL(process.env.CONSUL_HTTP_ADDR);
const { kv } = new Consul({ host: address.hostname, port: Number(address.port) });

function check(got, wanted) {
  if (got !== wanted) throw new Error(`the answer is not what was written: ${got}, not ${wanted}`);
}

const get = (key, size) => async () => check((await kv.get({ key, buffer: true })).Value.length, size);

async function list() {
  const pairs = await kv.get({ key: "bench/list/", recurse: true, buffer: true });
  check(pairs.length, LISTED);
  check(pairs.reduce((bytes, pair) => bytes + pair.Value.length, 0), LISTED_BYTES);
}

const calls = {
  get: get("bench/small", 5),
  put: async () => check(await kv.set("bench/put", "12345"), true),
  get32: get("bench/small", 5),
  flight: get("bench/small", 5),
  list,
  big: get("bench/big", BIG),
};

async function run(seconds, limit) {
  const until = performance.now() + seconds * 1000;
  let done = 0;
  do {
    await calls[row]();
    done++;
  } while (limit ? done < limit : performance.now() < until);
  return done;
}

async function all(seconds, limit) {
  const workers = Array.from({ length: row === "get32" || row === "flight" ? CONCURRENT : 1 }, () => run(seconds, limit));
  return (await Promise.all(workers)).reduce((sum, done) => sum + done, 0);
}

async function main() {
  const [seconds, limit] = unit === "calls" ? [0, Number(amount)] : [Number(amount), 0];
  await all(seconds / 10, 0);
  const began = performance.now(), used = process.cpuUsage();
  const done = await all(seconds, limit);
  const { user, system } = process.cpuUsage(used);
  console.log(`${done} ${((performance.now() - began) / 1e3).toFixed(6)} ${((user + system) / 1e6).toFixed(6)}`);
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
