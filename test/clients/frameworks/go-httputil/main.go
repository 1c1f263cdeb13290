// Command httputil is a chain as people build it with the standard library: a reverse proxy in front of a service. The
// service answers what it sees, streams, and takes connections over; the proxy passes all of it on.
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	behind, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(behind, service())) }()
	target := &url.URL{Scheme: "http", Host: behind.Addr().String()}
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(target)
			request.Out.Host = request.In.Host
			request.Out.Header["X-Forwarded-For"] = request.In.Header["X-Forwarded-For"]
			request.SetXForwarded()
		},
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], proxy))
}

func service() http.Handler {
	ticks := make(chan struct{}, 100)
	mux := http.NewServeMux()
	mux.HandleFunc("/seen", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", r.Host, r.Header.Get("X-Forwarded-For"))
	})
	mux.HandleFunc("/tick", func(http.ResponseWriter, *http.Request) { ticks <- struct{}{} })
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for number := 1; ; number++ {
			fmt.Fprintf(w, "data: %d\n\n", number)
			w.(http.Flusher).Flush()
			select {
			case <-ticks:
			case <-r.Context().Done():
				return
			}
		}
	})
	mux.HandleFunc("/trailers", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Length")
		length, _ := io.Copy(w, r.Body)
		w.Header().Set("X-Length", fmt.Sprint(length))
	})
	mux.HandleFunc("/taken", func(w http.ResponseWriter, r *http.Request) {
		connection, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer connection.Close()
		fmt.Fprint(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: lines\r\n\r\n")
		for lines := bufio.NewScanner(buffered); lines.Scan(); {
			fmt.Fprintf(connection, "echo %s\n", lines.Text())
		}
	})
	return mux
}
