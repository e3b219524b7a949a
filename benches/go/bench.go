// bench ROW seconds|calls N: as bench.c does it, with the Go API client in its default
// configuration. The import path is that of the official client; the build puts in that of its
// ancestor, which has the same calls, where Debian has only that.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	api "github.com/hashicorp/consul/api"
)

const (
	threads     = 32
	listed      = 1000
	listedBytes = 64000
	big         = 256 * 1024
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func equal(got, wanted int) {
	if got != wanted {
		check(fmt.Errorf("the answer is not what was written: %d, not %d", got, wanted))
	}
}

func get(kv *api.KV, key string, size int) {
	pair, _, err := kv.Get(key, nil)
	check(err)
	equal(len(pair.Value), size)
}

func call(kv *api.KV, row string) {
	switch row {
	case "get", "get32":
		get(kv, "bench/small", 5)
	case "put":
		_, err := kv.Put(&api.KVPair{Key: "bench/put", Value: []byte("12345")}, nil)
		check(err)
	case "list":
		pairs, _, err := kv.List("bench/list/", nil)
		check(err)
		equal(len(pairs), listed)
		bytes := 0
		for _, pair := range pairs {
			bytes += len(pair.Value)
		}
		equal(bytes, listedBytes)
	case "big":
		get(kv, "bench/big", big)
	}
}

func run(kv *api.KV, row string, seconds float64, calls int) int {
	until := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	for done := 1; ; done++ {
		call(kv, row)
		if calls > 0 && done >= calls || calls == 0 && !time.Now().Before(until) {
			return done
		}
	}
}

func all(kv *api.KV, row string, seconds float64, calls int) int {
	if row != "get32" {
		return run(kv, row, seconds, calls)
	}
	var group sync.WaitGroup
	var done [threads]int
	for i := range done {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			done[i] = run(kv, row, seconds, calls)
		}(i)
	}
	group.Wait()
	sum := 0
	for _, each := range done {
		sum += each
	}
	return sum
}

func cpu() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func main() {
	row, unit := os.Args[1], os.Args[2]
	amount, err := strconv.ParseFloat(os.Args[3], 64)
	check(err)
	config := api.DefaultConfig()
	config.Address = strings.TrimPrefix(os.Getenv("CONSUL_HTTP_ADDR"), "http://")
	client, err := api.NewClient(config)
	check(err)
	seconds, calls := amount, 0
	if unit == "calls" {
		seconds, calls = 0, int(amount)
	}
	all(client.KV(), row, seconds/10, 0)
	began, used := time.Now(), cpu()
	done := all(client.KV(), row, seconds, calls)
	fmt.Printf("%d %.6f %.6f\n", done, time.Since(began).Seconds(), cpu()-used)
}
