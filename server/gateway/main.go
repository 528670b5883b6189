// Command persona-gateway serves the REST form of persona-service in front of its gRPC server.
//
// It prints one line of JSON to stdout once it listens, logs JSON lines to stderr, and stops on
// SIGTERM, SIGINT or the end of its stdin, finishing what is in flight.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"google.golang.org/grpc/grpclog"

	"persona.example/persona-service/server/gateway/internal/guard"
	"persona.example/persona-service/server/gateway/internal/logqueue"
	"persona.example/persona-service/server/gateway/internal/orders"
)

const (
	logLines = 1024 // that wait for whoever reads the log

	// How much garbage may stand beside what is in use, in percent, but less once the memory is over its limit.
	// That has room for 2,000 requests that wait: at the limit, all memory is looked through at every call.
	garbageShare = 200
	memoryLimit  = 88 << 20
	// How often all that is free goes back to the system. By itself some of what the busiest minute took stays, and
	// more of it after each such minute.
	giveBackEvery = time.Minute

	// Go lets one goroutine go on for 10 ms before the next has its thread, at each step of a request. So there
	// are more threads than long answers and bodies at once, of which others' requests would wait for each; the
	// system shares a core more often.
	leastThreads = 4
)

func main() {
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "persona-gateway: %v (persona-gateway --help lists the flags)\n", err)
		os.Exit(2)
	}
	runtime.GOMAXPROCS(max(leastThreads, runtime.GOMAXPROCS(0)))
	debug.SetGCPercent(garbageShare)
	debug.SetMemoryLimit(memoryLimit)
	go giveBack(time.Tick(giveBackEvery))
	// What gRPC and the runtime have to say comes back as errors; their own logs are not JSON.
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "persona-gateway:", err)
		os.Exit(1)
	}
}

// giveBack gives free memory back to the system, again and again.
func giveBack(due <-chan time.Time) {
	for range due {
		runtime.GC() // what pools keep for the next call goes with the second collection in a row
		debug.FreeOSMemory()
	}
}

// run serves until it is told to stop.
func run(o options) error {
	level := new(slog.LevelVar)
	level.Set(orders.Levels[o.logLevel])
	straight := newLogger(os.Stderr, level)
	lines := logqueue.New(os.Stderr, logLines, func(dropped int64) {
		straight.Warn("log lines dropped", "lines", dropped)
	})
	defer lines.Close(time.Second)
	log := newLogger(lines, level)
	o.fitFiles()
	backend, err := openBackend(o, log)
	if err != nil {
		return fmt.Errorf("can't use --grpc %s: %w", o.grpc, err)
	}
	defer backend.close()
	handler, err := newGateway(backend, o, newWatcher(log), log)
	if err != nil {
		return err
	}
	listener, err := net.Listen(network(o.listen), o.listen)
	if err != nil {
		return fmt.Errorf("can't listen on %s (%w); choose another address with --rest (here: --listen)", o.listen, cause(err))
	}
	connections := guard.Bound(listener, o.maxConnections, o.maxConnectionsEach, o.arrivals, o.proxies)
	served, err := o.serving.Listen(connections, log)
	if err != nil {
		return fmt.Errorf("can't serve by TLS: %w", err)
	}
	handler.watcher.look(handler, connections, lines)
	if err := handler.watcher.listen(o, log); err != nil {
		return err
	}
	fmt.Printf("{\"listening\":%q}\n", listener.Addr())
	log.Info("started", "listening", listener.Addr().String(), "grpc", o.grpc)
	return serve(newServer(handler, connections, o.stall), served, orders.Orders{Level: level, Figures: handler.watcher.figures.Page}, o.grace, log)
}

// serve answers until a stop is asked for, then gives the requests in flight their grace.
func serve(server *http.Server, listener net.Listener, told orders.Orders, grace time.Duration, log *slog.Logger) error {
	stop, cancel := signal.NotifyContext(context.Background(), stopping()...)
	defer cancel()
	go func() {
		followStdin(told)
		cancel()
	}()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-stop.Done():
	}
	log.Info("stopping", "grace_s", grace.Seconds())
	ctx, done := context.WithTimeout(context.Background(), grace)
	defer done()
	if server.Shutdown(ctx) != nil {
		server.Close() // the grace is over: what still runs is cut
	}
	log.Info("stopped")
	return nil
}

// stopping are the signals that ask for the end; SIGHUP stays ignored where it is, as by nohup.
func stopping() []os.Signal {
	signals := []os.Signal{syscall.SIGTERM, syscall.SIGINT}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// followStdin does what the parent says on stdin, and returns when the other end closes, and with it the
// parent that holds it. Anything but a pipe or a socket (a terminal, /dev/null) has no such end and is
// waited on for ever.
func followStdin(told orders.Orders) {
	info, err := os.Stdin.Stat()
	if err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		select {}
	}
	told.Obey(os.Stdin, os.Stdout)
}

// cause is what the system said, without the operation and address around it.
func cause(err error) error {
	var call *os.SyscallError
	if errors.As(err, &call) {
		return call.Err
	}
	return err
}

// newLogger writes JSON lines like those of the gRPC server's log.
func newLogger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: likeServer}))
}

func likeServer(_ []string, a slog.Attr) slog.Attr {
	switch a.Key {
	case slog.MessageKey:
		a.Key = "message"
	case slog.TimeKey:
		a.Value = slog.StringValue(a.Value.Time().UTC().Format("2006-01-02T15:04:05.000000Z"))
	case slog.LevelKey:
		names := map[slog.Level]string{slog.LevelDebug: "debug", slog.LevelWarn: "warning", slog.LevelError: "error"}
		a.Value = slog.StringValue(cmp.Or(names[a.Value.Any().(slog.Level)], "info"))
	}
	return a
}

// network is that of an address: one of IPv4 alone is not listened at by IPv6, which a firewall may
// know nothing of.
func network(address string) string {
	if at, err := netip.ParseAddrPort(address); err == nil && at.Addr().Is4() {
		return "tcp4"
	}
	return "tcp"
}
