package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"log"
	"net/http"
	"os"

	"golang.ngrok.com/ngrok/v2"
)

func main() {
	pem, err := os.ReadFile(os.Getenv("POSTERN_CA"))
	if err != nil {
		log.Fatal(err)
	}
	authority := x509.NewCertPool()
	authority.AppendCertsFromPEM(pem)
	agent, err := ngrok.NewAgent(
		ngrok.WithAgentConnectURL(os.Getenv("POSTERN_AGENT")),
		ngrok.WithAgentConnectCAs(authority),
		ngrok.WithAuthtoken(os.Getenv("NGROK_AUTHTOKEN")),
	)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := agent.Listen(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.URL())
	log.Fatal(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "Hello from Go")
	})))
}
