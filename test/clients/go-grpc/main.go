// grpc-go's own client and server, joined by the official Go agent SDK: test/clients/README.md has the contract.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.ngrok.com/ngrok"
	"golang.ngrok.com/ngrok/config"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
)

type request struct {
	ID        int    `json:"id"`
	Op        string `json:"op"`
	Address   string `json:"address"`
	CA        string `json:"ca"`
	Authtoken string `json:"authtoken"`
	Proto     string `json:"proto"`
	URL       string `json:"url"`
	TLS       string `json:"tls"`
	Cert      string `json:"cert"`
	Key       string `json:"key"`
	Case      string `json:"case"`
	Workers   int    `json:"workers"`
	Ms        int    `json:"ms"`
	MaxAgeMs  int    `json:"max_connection_age_ms"`
	// ServerName is what the visitor asks for by TLS; empty without TLS.
	ServerName string `json:"server_name"`
	Bytes      int    `json:"bytes"`
}

func say(value any) {
	line, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		answer, err := perform(asked)
		if err != nil {
			say(map[string]any{"id": asked.ID, "error": map[string]string{"code": "", "message": err.Error()}})
			continue
		}
		say(map[string]any{"id": asked.ID, "ok": answer})
	}
}

func perform(asked request) (any, error) {
	switch asked.Op {
	case "serve":
		return serve(asked)
	case "case":
		return withClient(asked, runCase)
	case "loop":
		return withClient(asked, loop)
	case "big":
		return withClient(asked, big)
	}
	return nil, fmt.Errorf("no such operation: %s", asked.Op)
}

// session is the agent; every endpoint is one of its.
var session ngrok.Session

func serve(asked request) (any, error) {
	ctx := context.Background()
	if session == nil {
		pool, err := poolOf(asked.CA)
		if err != nil {
			return nil, err
		}
		session, err = ngrok.Connect(ctx,
			ngrok.WithServer(asked.Address), ngrok.WithCA(pool), ngrok.WithAuthtoken(asked.Authtoken))
		if err != nil {
			return nil, err
		}
	}
	tunnel, err := session.Listen(ctx, endpoint(asked))
	if err != nil {
		return nil, err
	}
	options := []grpc.ServerOption{grpc.MaxRecvMsgSize(64 << 20)}
	if asked.MaxAgeMs > 0 {
		age := time.Duration(asked.MaxAgeMs) * time.Millisecond
		options = append(options, grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: age}))
	}
	if asked.TLS == "agent" {
		pair, err := tls.LoadX509KeyPair(asked.Cert, asked.Key)
		if err != nil {
			return nil, err
		}
		options = append(options, grpc.Creds(credentials.NewServerTLSFromCert(&pair)))
	}
	server := grpc.NewServer(options...)
	testgrpc.RegisterTestServiceServer(server, interop.NewTestServer())
	go server.Serve(tunnel)
	return map[string]any{"url": tunnel.URL()}, nil
}

func endpoint(asked request) config.Tunnel {
	switch asked.Proto {
	case "tcp":
		return config.TCPEndpoint()
	case "tls":
		if asked.TLS == "edge" {
			at := config.WithTLSTermination(config.WithTLSTerminationAt(config.TLSAtEdge))
			return config.TLSEndpoint(config.WithURL(asked.URL), at)
		}
		return config.TLSEndpoint(config.WithURL(asked.URL))
	}
	return config.HTTPEndpoint(config.WithURL(asked.URL), config.WithAppProtocol("http2"))
}

func poolOf(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool, nil
}

// cut counts connections that the other side, or anybody between, has ended.
type cut struct {
	net.Conn
	count *atomic.Int64
	once  sync.Once
}

func (c *cut) Read(into []byte) (int, error) {
	length, err := c.Conn.Read(into)
	if err != nil {
		c.once.Do(func() { c.count.Add(1) })
	}
	return length, err
}

func withClient(
	asked request, work func(context.Context, testgrpc.TestServiceClient, request) (map[string]any, error),
) (any, error) {
	security := insecure.NewCredentials()
	if asked.ServerName != "" {
		pool, err := poolOf(asked.CA)
		if err != nil {
			return nil, err
		}
		security = credentials.NewClientTLSFromCert(pool, asked.ServerName)
	}
	var dials, cuts atomic.Int64
	dial := func(ctx context.Context, address string) (net.Conn, error) {
		dials.Add(1)
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		return &cut{Conn: conn, count: &cuts}, nil
	}
	conn, err := grpc.NewClient("passthrough:///"+asked.Address,
		grpc.WithTransportCredentials(security),
		grpc.WithContextDialer(dial),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20), grpc.MaxCallSendMsgSize(64<<20)))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 80*time.Second)
	defer cancel()
	answer, err := work(ctx, testgrpc.NewTestServiceClient(conn), asked)
	if answer != nil {
		answer["dials"], answer["cuts"] = dials.Load(), cuts.Load()
	}
	return answer, err
}

// runCase runs one of gRPC's own interoperability cases; a failure ends the process with its reason on stderr.
func runCase(ctx context.Context, client testgrpc.TestServiceClient, asked request) (map[string]any, error) {
	switch asked.Case {
	case "empty_unary":
		interop.DoEmptyUnaryCall(ctx, client)
	case "large_unary":
		interop.DoLargeUnaryCall(ctx, client)
	case "client_streaming":
		interop.DoClientStreaming(ctx, client)
	case "server_streaming":
		interop.DoServerStreaming(ctx, client)
	case "ping_pong":
		interop.DoPingPong(ctx, client)
	case "empty_stream":
		interop.DoEmptyStream(ctx, client)
	case "timeout_on_sleeping_server":
		interop.DoTimeoutOnSleepingServer(ctx, client)
	case "cancel_after_begin":
		interop.DoCancelAfterBegin(ctx, client)
	case "cancel_after_first_response":
		interop.DoCancelAfterFirstResponse(ctx, client)
	case "custom_metadata":
		interop.DoCustomMetadata(ctx, client)
	case "status_code_and_message":
		interop.DoStatusCodeAndMessage(ctx, client)
	case "special_status_message":
		interop.DoSpecialStatusMessage(ctx, client)
	default:
		return nil, fmt.Errorf("no such case: %s", asked.Case)
	}
	return map[string]any{}, nil
}

// loop makes unary calls one behind the other on each of the workers, which share a connection.
func loop(ctx context.Context, client testgrpc.TestServiceClient, asked request) (map[string]any, error) {
	var calls, lost atomic.Int64
	var first atomic.Value
	end := time.Now().Add(time.Duration(asked.Ms) * time.Millisecond)
	var workers sync.WaitGroup
	for range asked.Workers {
		workers.Go(func() {
			payload := &testgrpc.Payload{Body: make([]byte, 500)}
			for time.Now().Before(end) {
				answer, err := client.UnaryCall(ctx, &testgrpc.SimpleRequest{ResponseSize: 1000, Payload: payload})
				calls.Add(1)
				if err != nil {
					lost.Add(1)
					first.CompareAndSwap(nil, err.Error())
				} else if len(answer.Payload.Body) != 1000 {
					lost.Add(1)
					first.CompareAndSwap(nil, "an answer of another size")
				}
			}
		})
	}
	workers.Wait()
	return map[string]any{"calls": calls.Load(), "lost": lost.Load(), "first": fmt.Sprint(first.Load())}, nil
}

// big sends and gets one large message, with metadata that must come back.
func big(ctx context.Context, client testgrpc.TestServiceClient, asked request) (map[string]any, error) {
	ctx = metadata.AppendToOutgoingContext(ctx, "x-grpc-test-echo-initial", "large")
	var header metadata.MD
	answer, err := client.UnaryCall(ctx, &testgrpc.SimpleRequest{
		ResponseSize: int32(asked.Bytes), Payload: &testgrpc.Payload{Body: make([]byte, asked.Bytes)},
	}, grpc.Header(&header))
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"bytes": len(answer.Payload.Body), "echoed": header.Get("x-grpc-test-echo-initial"),
	}, nil
}
