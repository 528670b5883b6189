// The command line.

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
	"time"

	"persona.example/persona-service/server/gateway/internal/cors"
	"persona.example/persona-service/server/gateway/internal/guard"
	"persona.example/persona-service/server/gateway/internal/orders"
	"persona.example/persona-service/server/gateway/internal/tlsfiles"
)

// secretVariable holds what the server gave the gateway to be known by; without it none is sent.
const secretVariable = "PERSONA_GATEWAY_SECRET"

// identityVariable holds the certificate, with its key, that the server gave the gateway to be let in by.
const identityVariable = "PERSONA_GATEWAY_IDENTITY"

const (
	mostGrace   = 24 * 60 * 60 // seconds
	mostOfLimit = 1 << 20      // of anything: a terabyte of memory, a million calls
)

// spareFiles are descriptors for what is no client's connection.
const spareFiles = 64

type options struct {
	listen, grpc, secret string
	metrics, logLevel    string
	grace, stall         time.Duration
	proxies              guard.Proxies
	origins              cors.Origins
	serving              tlsfiles.Serving
	calling              tlsfiles.Calling

	maxConnections, maxConnectionsEach int
	maxRequestsEach                    int
	maxCalls, maxExports               int
	connections                        int
	bodyMiB, answerMiB                 int
	arrivals, refusals                 float64
}

func parseOptions(args []string) (options, error) {
	o := options{secret: os.Getenv(secretVariable), origins: cors.Origins{}}
	flags := flag.NewFlagSet("persona-gateway", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // what is wrong is said in one line, by whoever asked
	flags.StringVar(&o.listen, "listen", "", "`HOST:PORT` to serve REST on; port 0 takes a free one")
	flags.StringVar(&o.grpc, "grpc", "", "`HOST:PORT` of the gRPC server")
	flags.StringVar(&o.metrics, "metrics", "", "`HOST:PORT` to serve Prometheus metrics on, for a gateway that no server has started; without it nowhere")
	flags.StringVar(&o.logLevel, "log-level", "info", "`LEVEL` of the log: debug, info (has each request that the gateway itself refuses), warning or error")
	grace := flags.Float64("grace", 10, "`SECONDS` that requests in flight get to finish at a stop")
	stall := flags.Float64("max-stall", 30, "`SECONDS` that a reader of an answer may stand still, but for an export's")
	proxies := flags.String("trusted-proxies", "", "`NETWORKS`, separated by commas, whose X-Forwarded-For names the caller")
	flags.Func("cors-origin", "`ORIGIN` whose pages browsers let call, such as https://app.example.org; may be repeated", o.origins.Add)
	o.addTLS(flags)
	o.addLimits(flags)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(os.Stderr)
			flags.Usage()
		}
		return o, err
	}
	if !(*grace >= 0 && *grace <= mostGrace) {
		return o, fmt.Errorf("--grace must be 0 to %d seconds", mostGrace)
	}
	if !(*stall > 0 && *stall <= mostGrace) {
		return o, fmt.Errorf("--max-stall must be more than 0, and at most %d seconds", mostGrace)
	}
	o.grace, o.stall = seconds(*grace), seconds(*stall)
	var err error
	if o.proxies, err = guard.ParseProxies(*proxies); err != nil {
		err = fmt.Errorf("--trusted-proxies: %w", err)
	} else {
		err = o.check(flags.NArg())
	}
	return o, err
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// check says what is wrong with flags that could be read, and with so many words beside them.
func (o *options) check(words int) error {
	switch _, known := orders.Levels[o.logLevel]; {
	case o.listen == "" || o.grpc == "" || words > 0:
		return errors.New("--listen and --grpc are needed, and nothing beside the flags")
	case !o.tlsFits():
		return errors.New("--tls-cert and --tls-key belong together, --tls-client-ca to them; --grpc-cert and --grpc-key, to --grpc-ca")
	case !known:
		return errors.New("--log-level must be debug, info, warning or error")
	case !o.limitsFit():
		return fmt.Errorf("every limit must be more than 0, and one of whole numbers at most %d", mostOfLimit)
	}
	return nil
}

func (o *options) addTLS(flags *flag.FlagSet) {
	o.calling.Identity = os.Getenv(identityVariable)
	flags.StringVar(&o.serving.Cert, "tls-cert", "", "`FILE` of the certificate by which REST is served, PEM; without it in plain text")
	flags.StringVar(&o.serving.Key, "tls-key", "", "`FILE` of its key")
	flags.StringVar(&o.serving.ClientCA, "tls-client-ca", "", "`FILE` of certificates, PEM; only clients with a certificate of one of these are served")
	flags.StringVar(&o.calling.CA, "grpc-ca", "", "`FILE` of the server's own certificate, or its roots, PEM; without it it is called in plain text")
	flags.StringVar(&o.calling.Cert, "grpc-cert", "", "`FILE` of the certificate that the server is shown, PEM")
	flags.StringVar(&o.calling.Key, "grpc-key", "", "`FILE` of its key")
}

func (o *options) tlsFits() bool {
	s, c := o.serving, o.calling
	return (s.Cert == "") == (s.Key == "") && (s.ClientCA == "" || s.Cert != "") &&
		(c.Cert == "") == (c.Key == "") && (c.Cert == "" || c.CA != "")
}

func (o *options) addLimits(flags *flag.FlagSet) {
	flags.IntVar(&o.maxConnections, "max-connections", 2304, "`CONNECTIONS` in all; fewer where the process may open fewer files")
	flags.IntVar(&o.maxConnectionsEach, "max-connections-per-address", 2048, "`CONNECTIONS` of one address, IPv6 by /64, but a trusted proxy's")
	flags.Float64Var(&o.arrivals, "max-new-connections", 100, "new `CONNECTIONS` of one address that are served a second, beyond 64 at once; others wait for their turn, but a trusted proxy's")
	flags.IntVar(&o.maxRequestsEach, "max-requests-per-address", 2048, "`REQUESTS` of one address at once, those that wait for their turn too")
	flags.IntVar(&o.maxCalls, "max-calls", 128, "`CALLS` to the server at once, half of them one address's; others wait")
	flags.IntVar(&o.maxExports, "max-exports", 8, "`EXPORTS` at once, half of them one address's; others wait")
	flags.IntVar(&o.connections, "connections", 1, "`CONNECTIONS` to the server for calls, and for exports, at least: where several processes serve, each takes some")
	flags.IntVar(&o.bodyMiB, "body-memory", 24, "`MIB` of memory for bodies that are read and decoded, half of it one address's")
	flags.IntVar(&o.answerMiB, "answer-memory", 24, "`MIB` of memory for answers that are not read yet, half of it one address's")
	flags.Float64Var(&o.refusals, "max-refusals", 100, "`REQUESTS` a second that one address may send without a valid token; 429 above")
}

func (o *options) limitsFit() bool {
	whole := []int{
		o.maxConnections, o.maxConnectionsEach, o.maxRequestsEach, o.maxCalls, o.maxExports, o.connections,
		o.bodyMiB, o.answerMiB,
	}
	return slices.Min(whole) > 0 && slices.Max(whole) <= mostOfLimit && min(o.arrivals, o.refusals) > 0
}

// fitFiles lowers the number of connections to what the process may open.
func (o *options) fitFiles() {
	var files syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) == nil && files.Cur > spareFiles {
		o.maxConnections = int(min(uint64(o.maxConnections), files.Cur-spareFiles))
	}
}
