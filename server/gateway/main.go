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
	"os"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc/grpclog"
)

// options are the command line.
type options struct {
	listen, grpc string
	grace        time.Duration
}

func parseOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("persona-gateway", flag.ContinueOnError)
	flags.StringVar(&o.listen, "listen", "", "`HOST:PORT` to serve REST on; port 0 takes a free one")
	flags.StringVar(&o.grpc, "grpc", "", "`HOST:PORT` of the gRPC server")
	grace := flags.Float64("grace", 10, "`SECONDS` that requests in flight get to finish at a stop")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.grace = time.Duration(*grace * float64(time.Second))
	if o.listen == "" || o.grpc == "" || flags.NArg() > 0 || *grace < 0 {
		err := errors.New("--listen and --grpc are needed, and nothing beside the flags")
		fmt.Fprintln(flags.Output(), err)
		flags.Usage()
		return o, err
	}
	return o, nil
}

func main() {
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2)
	}
	// What gRPC and the runtime have to say comes back as errors; their own logs are not JSON.
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "persona-gateway:", err)
		os.Exit(1)
	}
}

// run serves until it is told to stop.
func run(o options) error {
	log := newLogger(os.Stderr)
	backend, err := dial(o.grpc)
	if err != nil {
		return fmt.Errorf("can't use --grpc %s: %w", o.grpc, err)
	}
	defer backend.Close()
	handler, err := newGateway(backend, log)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("can't listen on %s (%w); choose another address with --rest (here: --listen)", o.listen, cause(err))
	}
	fmt.Printf("{\"listening\":%q}\n", listener.Addr())
	log.Info("started", "listening", listener.Addr().String(), "grpc", o.grpc)
	return serve(newServer(handler, log), listener, o.grace, log)
}

// serve answers until a stop is asked for, then gives the requests in flight their grace.
func serve(server *http.Server, listener net.Listener, grace time.Duration, log *slog.Logger) error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	go func() {
		waitForStdin()
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

// waitForStdin returns when the other end of stdin closes, and with it the parent that holds it.
// Anything but a pipe or a socket (a terminal, /dev/null) has no such end and is waited on for ever.
func waitForStdin() {
	info, err := os.Stdin.Stat()
	if err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		select {}
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
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
func newLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: likeServer}))
}

func likeServer(_ []string, a slog.Attr) slog.Attr {
	switch a.Key {
	case slog.MessageKey:
		a.Key = "message"
	case slog.TimeKey:
		a.Value = slog.StringValue(a.Value.Time().UTC().Format("2006-01-02T15:04:05.000000Z"))
	case slog.LevelKey:
		names := map[slog.Level]string{slog.LevelWarn: "warning", slog.LevelError: "error"}
		a.Value = slog.StringValue(cmp.Or(names[a.Value.Any().(slog.Level)], "info"))
	}
	return a
}
