// Command load calls one unary method as fast as a number of calls in flight allow, and prints what
// came of it as one line of JSON. It sends and receives raw bytes, so that it spends little itself.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

const window = 1 << 20

// raw is a codec that passes bytes through.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error) { return v.([]byte), nil }
func (raw) Unmarshal(data []byte, v any) error {
	*(v.(*[]byte)) = data
	return nil
}
func (raw) Name() string { return "raw" }

type report struct {
	Requests  int     `json:"requests"`
	Errors    int     `json:"errors"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	Bytes     int     `json:"bytes"`
}

func main() {
	address := flag.String("address", "", "HOST:PORT of the server")
	method := flag.String("method", "", "full method name")
	token := flag.String("token", "", "bearer token")
	file := flag.String("requests", "", "file of requests, each behind its length (4 bytes, little-endian)")
	inFlight := flag.Int("in-flight", 32, "calls in flight")
	connections := flag.Int("connections", 1, "connections that the calls take in turn")
	seconds := flag.Float64("seconds", 3, "how long")
	once := flag.Bool("once", false, "send each request once, in order, however long it takes")
	flag.Parse()
	requests, err := readRequests(*file)
	if err != nil {
		fail(err)
	}
	conns, err := connect(*address, *connections)
	if err != nil {
		fail(err)
	}
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+*token)
	result := load(ctx, conns, *method, requests, *inFlight, *seconds, *once)
	_ = json.NewEncoder(os.Stdout).Encode(result)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "load:", err)
	os.Exit(1)
}

// connect returns connections to one server, each of its own: those of one client would be shared.
func connect(address string, count int) ([]*grpc.ClientConn, error) {
	conns := make([]*grpc.ClientConn, count)
	for i := range conns {
		conn, err := grpc.NewClient(address,
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(window),
			grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{}), grpc.MaxCallRecvMsgSize(8<<20)))
		if err != nil {
			return nil, err
		}
		conns[i] = conn
	}
	return conns, nil
}

func load(ctx context.Context, conns []*grpc.ClientConn, method string, requests [][]byte, inFlight int, seconds float64, once bool) *report {
	var next, failed, size atomic.Int64
	var workers sync.WaitGroup
	times := make([][]time.Duration, inFlight)
	started := time.Now()
	ends := started.Add(time.Duration(seconds * float64(time.Second)))
	for worker := range inFlight {
		conn := conns[worker%len(conns)]
		workers.Go(func() {
			for once || time.Now().Before(ends) {
				index := int(next.Add(1)) - 1
				if once && index >= len(requests) {
					return
				}
				request := requests[index%len(requests)]
				var response []byte
				began := time.Now()
				if err := conn.Invoke(ctx, method, request, &response); err != nil {
					failed.Add(1)
					continue
				}
				size.Store(int64(len(response)))
				times[worker] = append(times[worker], time.Since(began))
			}
		})
	}
	workers.Wait()
	elapsed := time.Since(started).Seconds()
	all := slices.Concat(times...)
	slices.Sort(all)
	result := &report{Requests: len(all), Errors: int(failed.Load()), Seconds: elapsed, Bytes: int(size.Load())}
	if len(all) > 0 {
		result.PerSecond = float64(len(all)) / elapsed
		result.P50 = all[len(all)/2].Seconds() * 1000
		result.P99 = all[len(all)*99/100].Seconds() * 1000
	}
	return result
}

func readRequests(path string) ([][]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var requests [][]byte
	for len(data) >= 4 {
		size := binary.LittleEndian.Uint32(data)
		requests = append(requests, data[4:4+size])
		data = data[4+size:]
	}
	if len(requests) == 0 {
		return nil, fmt.Errorf("%s holds no request", path)
	}
	return requests, nil
}
