// The official Go agent SDK, version 1, as a program of the clients' suite: test/clients/README.md has the contract.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"golang.ngrok.com/ngrok"
	"golang.ngrok.com/ngrok/config"
)

type headers struct {
	Add    map[string]string `json:"add"`
	Remove []string          `json:"remove"`
}

type request struct {
	ID        int    `json:"id"`
	Op        string `json:"op"`
	Session   string `json:"session"`
	Listener  string `json:"listener"`
	Address   string `json:"address"`
	CA        string `json:"ca"`
	Authtoken string `json:"authtoken"`
	Metadata  string `json:"metadata"`

	HeartbeatIntervalMs  int `json:"heartbeat_interval_ms"`
	HeartbeatToleranceMs int `json:"heartbeat_tolerance_ms"`
	GiveUpMs             int `json:"give_up_ms"`

	URL             string   `json:"url"`
	Proto           string   `json:"proto"`
	Name            string   `json:"name"`
	Description     string   `json:"description"`
	ForwardsTo      string   `json:"forwards_to"`
	TrafficPolicy   string   `json:"traffic_policy"`
	Pooling         bool     `json:"pooling"`
	ProxyProto      string   `json:"proxy_proto"`
	TLS             string   `json:"tls"`
	Cert            string   `json:"cert"`
	Key             string   `json:"key"`
	MutualTLSCA     string   `json:"mutual_tls_ca"`
	BasicAuth       []string `json:"basic_auth"`
	Compression     bool     `json:"compression"`
	AllowCIDRs      []string `json:"allow_cidrs"`
	DenyCIDRs       []string `json:"deny_cidrs"`
	RequestHeaders  headers  `json:"request_headers"`
	ResponseHeaders headers  `json:"response_headers"`
	Upstream        string   `json:"upstream"`
	UpstreamProto   string   `json:"upstream_proto"`
}

// closer is a tunnel or a forwarder.
type closer interface {
	CloseWithContext(context.Context) error
}

var (
	output   sync.Mutex
	guard    sync.Mutex
	sessions = map[string]ngrok.Session{}
	tunnels  = map[string]closer{}
)

func say(value any) {
	line, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(line))
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		go func() {
			answer, err := perform(asked)
			if err != nil {
				say(map[string]any{"id": asked.ID, "error": described(err)})
				return
			}
			say(map[string]any{"id": asked.ID, "ok": answer})
		}()
	}
}

func described(err error) map[string]string {
	code := ""
	var ours ngrok.Error
	if errors.As(err, &ours) {
		code = ours.ErrorCode()
	}
	return map[string]string{"code": code, "message": err.Error()}
}

func perform(asked request) (any, error) {
	// Sessions and forwarders end with the context that they were started with.
	ctx := context.Background()
	switch asked.Op {
	case "connect":
		return connect(asked)
	case "listen":
		return listen(ctx, asked)
	case "unlisten":
		guard.Lock()
		tunnel := tunnels[asked.Listener]
		delete(tunnels, asked.Listener)
		guard.Unlock()
		return map[string]any{}, tunnel.CloseWithContext(ctx)
	case "disconnect":
		guard.Lock()
		session := sessions[asked.Session]
		delete(sessions, asked.Session)
		guard.Unlock()
		return map[string]any{}, session.Close()
	}
	return nil, fmt.Errorf("no such operation: %s", asked.Op)
}

func connect(asked request) (any, error) {
	ctx, cancel := context.WithCancel(context.Background())
	if asked.GiveUpMs > 0 {
		// A refused session is tried again for ever.
		late := time.AfterFunc(time.Duration(asked.GiveUpMs)*time.Millisecond, cancel)
		defer late.Stop()
	}
	authority, err := os.ReadFile(asked.CA)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	command := func(name string) ngrok.ServerCommandHandler {
		return func(context.Context, ngrok.Session) error {
			say(map[string]any{"event": "command", "session": asked.Session, "command": name})
			return nil
		}
	}
	options := []ngrok.ConnectOption{
		ngrok.WithServer(asked.Address),
		ngrok.WithCA(pool),
		ngrok.WithAuthtoken(asked.Authtoken),
		ngrok.WithMetadata(asked.Metadata),
		ngrok.WithStopHandler(command("stop")),
		ngrok.WithRestartHandler(command("restart")),
		ngrok.WithUpdateHandler(command("update")),
		ngrok.WithDisconnectHandler(func(_ context.Context, _ ngrok.Session, reason error) {
			say(map[string]any{"event": "disconnected", "session": asked.Session, "reason": fmt.Sprint(reason)})
		}),
		ngrok.WithHeartbeatHandler(func(_ context.Context, _ ngrok.Session, latency time.Duration) {
			say(map[string]any{"event": "heartbeat", "session": asked.Session, "ms": float64(latency) / 1e6})
		}),
	}
	if asked.HeartbeatIntervalMs > 0 {
		options = append(options, ngrok.WithHeartbeatInterval(time.Duration(asked.HeartbeatIntervalMs)*time.Millisecond))
	}
	if asked.HeartbeatToleranceMs > 0 {
		options = append(options, ngrok.WithHeartbeatTolerance(time.Duration(asked.HeartbeatToleranceMs)*time.Millisecond))
	}
	session, err := ngrok.Connect(ctx, options...)
	if err != nil {
		cancel()
		return nil, err
	}
	guard.Lock()
	sessions[asked.Session] = session
	guard.Unlock()
	return map[string]any{"warnings": len(session.Warnings())}, nil
}

func listen(ctx context.Context, asked request) (any, error) {
	guard.Lock()
	session := sessions[asked.Session]
	guard.Unlock()
	if session == nil {
		return nil, errors.New("no such session")
	}
	wanted, err := endpoint(asked)
	if err != nil {
		return nil, err
	}
	var tunnel interface {
		closer
		ngrok.TunnelInfo
	}
	if asked.Upstream == "" {
		listening, err := session.Listen(ctx, wanted)
		if err != nil {
			return nil, err
		}
		if err := serve(listening, asked); err != nil {
			return nil, err
		}
		tunnel = listening
	} else {
		upstream, err := url.Parse(asked.Upstream)
		if err != nil {
			return nil, err
		}
		forwarder, err := session.ListenAndForward(ctx, upstream, wanted)
		if err != nil {
			return nil, err
		}
		tunnel = forwarder.(interface {
			closer
			ngrok.TunnelInfo
		})
	}
	guard.Lock()
	tunnels[asked.Listener] = tunnel
	guard.Unlock()
	return map[string]any{
		"id": tunnel.ID(), "url": tunnel.URL(), "proto": tunnel.Proto(),
		"metadata": tunnel.Metadata(), "forwards_to": tunnel.ForwardsTo(),
	}, nil
}

func endpoint(asked request) (config.Tunnel, error) {
	common, err := commonOptions(asked)
	if err != nil {
		return nil, err
	}
	switch asked.Proto {
	case "tcp":
		options := []config.TCPEndpointOption{}
		for _, option := range common {
			options = append(options, option.(config.TCPEndpointOption))
		}
		return config.TCPEndpoint(options...), nil
	case "tls":
		options := []config.TLSEndpointOption{}
		for _, option := range common {
			options = append(options, option.(config.TLSEndpointOption))
		}
		if asked.TLS == "edge" {
			cert, err := os.ReadFile(asked.Cert)
			if err != nil {
				return nil, err
			}
			key, err := os.ReadFile(asked.Key)
			if err != nil {
				return nil, err
			}
			options = append(options, config.WithTLSTermination(
				config.WithTLSTerminationAt(config.TLSAtEdge), config.WithTLSTerminationKeyPair(cert, key)))
		}
		return config.TLSEndpoint(options...), nil
	}
	options := []config.HTTPEndpointOption{}
	for _, option := range common {
		options = append(options, option.(config.HTTPEndpointOption))
	}
	scheme := config.SchemeHTTPS
	if asked.Proto == "http" {
		scheme = config.SchemeHTTP
	}
	options = append(options, config.WithScheme(scheme))
	if len(asked.BasicAuth) == 2 {
		options = append(options, config.WithBasicAuth(asked.BasicAuth[0], asked.BasicAuth[1]))
	}
	if asked.Compression {
		options = append(options, config.WithCompression())
	}
	for name, value := range asked.RequestHeaders.Add {
		options = append(options, config.WithRequestHeader(name, value))
	}
	for _, name := range asked.RequestHeaders.Remove {
		options = append(options, config.WithRemoveRequestHeader(name))
	}
	for name, value := range asked.ResponseHeaders.Add {
		options = append(options, config.WithResponseHeader(name, value))
	}
	for _, name := range asked.ResponseHeaders.Remove {
		options = append(options, config.WithRemoveResponseHeader(name))
	}
	return config.HTTPEndpoint(options...), nil
}

func commonOptions(asked request) ([]any, error) {
	options := []any{
		config.WithMetadata(asked.Metadata),
		config.WithPoolingEnabled(asked.Pooling),
		config.WithName(asked.Name),
		config.WithDescription(asked.Description),
	}
	if asked.URL != "" {
		options = append(options, config.WithURL(asked.URL))
	}
	if asked.ForwardsTo != "" {
		options = append(options, config.WithForwardsTo(asked.ForwardsTo))
	}
	if asked.TrafficPolicy != "" {
		options = append(options, config.WithTrafficPolicy(asked.TrafficPolicy))
	}
	if len(asked.AllowCIDRs) > 0 {
		options = append(options, config.WithAllowCIDRString(asked.AllowCIDRs...))
	}
	if len(asked.DenyCIDRs) > 0 {
		options = append(options, config.WithDenyCIDRString(asked.DenyCIDRs...))
	}
	if asked.ProxyProto == "1" {
		options = append(options, config.WithProxyProto(config.ProxyProtoV1))
	}
	if asked.ProxyProto == "2" {
		options = append(options, config.WithProxyProto(config.ProxyProtoV2))
	}
	if asked.UpstreamProto != "" {
		options = append(options, config.WithAppProtocol(asked.UpstreamProto))
	}
	if asked.MutualTLSCA != "" {
		text, err := os.ReadFile(asked.MutualTLSCA)
		if err != nil {
			return nil, err
		}
		block, _ := pem.Decode(text)
		authority, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		options = append(options, config.WithMutualTLSCA(authority))
	}
	return options, nil
}

func serve(listener net.Listener, asked request) error {
	if asked.TLS == "agent" {
		pair, err := tls.LoadX509KeyPair(asked.Cert, asked.Key)
		if err != nil {
			return err
		}
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}})
	}
	if strings.HasPrefix(asked.Proto, "http") {
		go http.Serve(listener, http.HandlerFunc(func(response http.ResponseWriter, asked *http.Request) {
			fmt.Fprintf(response, "%s %s of %s", asked.Method, asked.URL.Path, asked.Host)
		}))
		return nil
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	return nil
}
