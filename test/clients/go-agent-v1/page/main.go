package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"log"
	"net/http"
	"os"

	"golang.ngrok.com/ngrok"
	"golang.ngrok.com/ngrok/config"
)

func main() {
	pem, err := os.ReadFile(os.Getenv("POSTERN_CA"))
	if err != nil {
		log.Fatal(err)
	}
	authority := x509.NewCertPool()
	authority.AppendCertsFromPEM(pem)
	listener, err := ngrok.Listen(context.Background(), config.HTTPEndpoint(),
		ngrok.WithServer(os.Getenv("POSTERN_AGENT")),
		ngrok.WithCA(authority),
		ngrok.WithAuthtoken(os.Getenv("NGROK_AUTHTOKEN")),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.URL())
	log.Fatal(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "Hello from Go")
	})))
}
