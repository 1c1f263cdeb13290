curl --fail --silent "$POSTERN_API/endpoints" \
  --header "Authorization: Bearer $POSTERN_API_KEY" \
  --header "Ngrok-Version: 2" \
  --header "Content-Type: application/json" \
  --data '{"url":"https://hello.example.com","type":"cloud","traffic_policy":"{\"on_http_request\":[{\"actions\":[{\"type\":\"custom-response\",\"config\":{\"status_code\":200,\"body\":\"Hello from curl\"}}]}]}"}'
