// The official Go agent SDK, version 2, as a program of the clients' suite: test/clients/README.md has the contract.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.ngrok.com/ngrok/v2"
	"golang.ngrok.com/ngrok/v2/rpc"
)

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

	URL           string   `json:"url"`
	Proto         string   `json:"proto"`
	Name          string   `json:"name"`
	Description   string   `json:"description"`
	TrafficPolicy string   `json:"traffic_policy"`
	Pooling       bool     `json:"pooling"`
	Bindings      []string `json:"bindings"`
	ProxyProto    string   `json:"proxy_proto"`
	TLS           string   `json:"tls"`
	Cert          string   `json:"cert"`
	Key           string   `json:"key"`
	Upstream      string   `json:"upstream"`
	UpstreamProto string   `json:"upstream_proto"`
}

var (
	output    sync.Mutex
	guard     sync.Mutex
	agents    = map[string]ngrok.Agent{}
	endpoints = map[string]ngrok.Endpoint{}
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
		code = ours.Code()
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
		endpoint := endpoints[asked.Listener]
		delete(endpoints, asked.Listener)
		guard.Unlock()
		return map[string]any{}, endpoint.CloseWithContext(ctx)
	case "disconnect":
		guard.Lock()
		agent := agents[asked.Session]
		delete(agents, asked.Session)
		guard.Unlock()
		return map[string]any{}, agent.Disconnect()
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
	pem, err := os.ReadFile(asked.CA)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	options := []ngrok.AgentOption{
		ngrok.WithAgentConnectURL(asked.Address),
		ngrok.WithAgentConnectCAs(pool),
		ngrok.WithAuthtoken(asked.Authtoken),
		ngrok.WithAgentMetadata(asked.Metadata),
		ngrok.WithAutoConnect(false),
		ngrok.WithEventHandler(func(event ngrok.Event) { report(asked.Session, event) }),
		ngrok.WithRPCHandler(func(_ context.Context, _ ngrok.AgentSession, command rpc.Request) ([]byte, error) {
			say(map[string]any{"event": "command", "session": asked.Session, "command": command.Method()})
			return nil, nil
		}),
	}
	if asked.HeartbeatIntervalMs > 0 {
		options = append(options, ngrok.WithHeartbeatInterval(time.Duration(asked.HeartbeatIntervalMs)*time.Millisecond))
	}
	if asked.HeartbeatToleranceMs > 0 {
		options = append(options, ngrok.WithHeartbeatTolerance(time.Duration(asked.HeartbeatToleranceMs)*time.Millisecond))
	}
	agent, err := ngrok.NewAgent(options...)
	if err != nil {
		return nil, err
	}
	if err := agent.Connect(ctx); err != nil {
		cancel()
		return nil, err
	}
	session, err := agent.Session()
	if err != nil {
		return nil, err
	}
	guard.Lock()
	agents[asked.Session] = agent
	guard.Unlock()
	return map[string]any{"id": session.ID(), "warnings": len(session.Warnings())}, nil
}

func report(session string, event ngrok.Event) {
	switch seen := event.(type) {
	case *ngrok.EventAgentConnectSucceeded:
		say(map[string]any{"event": "connected", "session": session})
	case *ngrok.EventAgentDisconnected:
		reason := ""
		if seen.Error != nil {
			reason = seen.Error.Error()
		}
		say(map[string]any{"event": "disconnected", "session": session, "reason": reason})
	case *ngrok.EventAgentHeartbeatReceived:
		say(map[string]any{"event": "heartbeat", "session": session, "ms": float64(seen.Latency) / 1e6})
	}
}

func listen(ctx context.Context, asked request) (any, error) {
	guard.Lock()
	agent := agents[asked.Session]
	guard.Unlock()
	if agent == nil {
		return nil, errors.New("no such session")
	}
	options := []ngrok.EndpointOption{
		ngrok.WithMetadata(asked.Metadata),
		ngrok.WithName(asked.Name),
		ngrok.WithDescription(asked.Description),
		ngrok.WithTrafficPolicy(asked.TrafficPolicy),
		ngrok.WithPoolingEnabled(asked.Pooling),
	}
	url := asked.URL
	if url == "" && asked.Proto != "https" {
		url = asked.Proto + "://"
	}
	if url != "" {
		options = append(options, ngrok.WithURL(url))
	}
	if len(asked.Bindings) > 0 {
		options = append(options, ngrok.WithBindings(asked.Bindings...))
	}
	if asked.TLS == "agent" {
		pair, err := tls.LoadX509KeyPair(asked.Cert, asked.Key)
		if err != nil {
			return nil, err
		}
		options = append(options, ngrok.WithAgentTLSTermination(&tls.Config{Certificates: []tls.Certificate{pair}}))
	}
	var endpoint ngrok.Endpoint
	if asked.Upstream == "" {
		listener, err := agent.Listen(ctx, options...)
		if err != nil {
			return nil, err
		}
		serve(listener, asked.Proto)
		endpoint = listener
	} else {
		upstream := []ngrok.UpstreamOption{}
		if asked.UpstreamProto != "" {
			upstream = append(upstream, ngrok.WithUpstreamProtocol(asked.UpstreamProto))
		}
		if asked.ProxyProto != "" {
			upstream = append(upstream, ngrok.WithUpstreamProxyProto(ngrok.ProxyProtoVersion("v" + asked.ProxyProto)))
		}
		forwarder, err := agent.Forward(ctx, ngrok.WithUpstream(asked.Upstream, upstream...), options...)
		if err != nil {
			return nil, err
		}
		endpoint = forwarder
	}
	guard.Lock()
	endpoints[asked.Listener] = endpoint
	guard.Unlock()
	return map[string]any{
		"id": endpoint.ID(), "url": endpoint.URL().String(), "proto": endpoint.Protocol(),
		"metadata": endpoint.Metadata(), "name": endpoint.Name(),
	}, nil
}

func serve(listener net.Listener, proto string) {
	if proto == "http" || proto == "https" {
		go http.Serve(listener, http.HandlerFunc(func(response http.ResponseWriter, asked *http.Request) {
			response.Header().Set("x-served-by", "go-agent-v2")
			fmt.Fprintf(response, "%s %s of %s", asked.Method, asked.URL.Path, asked.Host)
		}))
		return
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
}
