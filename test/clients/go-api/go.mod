module postern.test/clients/go-api

go 1.25

require (
	github.com/ngrok/ngrok-api-go/v7 v7.8.0
	github.com/ngrok/ngrok-api-go/v9 v9.0.0
)
