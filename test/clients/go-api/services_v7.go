package main

import (
	"github.com/ngrok/ngrok-api-go/v7"
	"github.com/ngrok/ngrok-api-go/v7/abuse_reports"
	"github.com/ngrok/ngrok-api-go/v7/agent_ingresses"
	"github.com/ngrok/ngrok-api-go/v7/api_keys"
	"github.com/ngrok/ngrok-api-go/v7/application_sessions"
	"github.com/ngrok/ngrok-api-go/v7/application_users"
	failover_backends "github.com/ngrok/ngrok-api-go/v7/backends/failover"
	http_response_backends "github.com/ngrok/ngrok-api-go/v7/backends/http_response"
	static_backends "github.com/ngrok/ngrok-api-go/v7/backends/static_address"
	tunnel_group_backends "github.com/ngrok/ngrok-api-go/v7/backends/tunnel_group"
	weighted_backends "github.com/ngrok/ngrok-api-go/v7/backends/weighted"
	"github.com/ngrok/ngrok-api-go/v7/bot_users"
	"github.com/ngrok/ngrok-api-go/v7/certificate_authorities"
	"github.com/ngrok/ngrok-api-go/v7/credentials"
	https_edge_mutual_tls_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/https_edge_mutual_tls"
	edge_route_backend_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/https_edge_route_backend"
	edge_route_circuit_breaker_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/https_edge_route_circuit_breaker"
	edge_route_compression_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/https_edge_route_compression"
	edge_route_ip_restriction_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/https_edge_route_ip_restriction"
	edge_route_o_auth_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/https_edge_route_oauth"
	edge_route_oidc_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/https_edge_route_oidc"
	edge_route_request_headers_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/https_edge_route_request_headers"
	edge_route_response_headers_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/https_edge_route_response_headers"
	edge_route_saml_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/https_edge_route_saml"
	edge_route_traffic_policy_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/https_edge_route_traffic_policy"
	edge_route_user_agent_filter_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/https_edge_route_user_agent_filter"
	edge_route_webhook_verification_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/https_edge_route_webhook_verification"
	edge_route_websocket_tcp_converter_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/https_edge_route_websocket_tcp_converter"
	https_edge_tls_termination_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/https_edge_tls_termination"
	tcp_edge_backend_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/tcp_edge_backend"
	tcp_edge_ip_restriction_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/tcp_edge_ip_restriction"
	tcp_edge_traffic_policy_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/tcp_edge_traffic_policy"
	tls_edge_backend_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/tls_edge_backend"
	tls_edge_ip_restriction_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/tls_edge_ip_restriction"
	tls_edge_mutual_tls_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/tls_edge_mutual_tls"
	tls_edge_tls_termination_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/tls_edge_tls_termination"
	tls_edge_traffic_policy_module "github.com/ngrok/ngrok-api-go/v7/edge_modules/tls_edge_traffic_policy"
	edges_https "github.com/ngrok/ngrok-api-go/v7/edges/https"
	edges_https_routes "github.com/ngrok/ngrok-api-go/v7/edges/https_routes"
	edges_tcp "github.com/ngrok/ngrok-api-go/v7/edges/tcp"
	edges_tls "github.com/ngrok/ngrok-api-go/v7/edges/tls"
	"github.com/ngrok/ngrok-api-go/v7/endpoints"
	"github.com/ngrok/ngrok-api-go/v7/event_destinations"
	"github.com/ngrok/ngrok-api-go/v7/event_sources"
	"github.com/ngrok/ngrok-api-go/v7/event_subscriptions"
	"github.com/ngrok/ngrok-api-go/v7/ip_policies"
	"github.com/ngrok/ngrok-api-go/v7/ip_policy_rules"
	"github.com/ngrok/ngrok-api-go/v7/ip_restrictions"
	"github.com/ngrok/ngrok-api-go/v7/kubernetes_operators"
	"github.com/ngrok/ngrok-api-go/v7/reserved_addrs"
	"github.com/ngrok/ngrok-api-go/v7/reserved_domains"
	"github.com/ngrok/ngrok-api-go/v7/secrets"
	"github.com/ngrok/ngrok-api-go/v7/service_users"
	"github.com/ngrok/ngrok-api-go/v7/ssh_certificate_authorities"
	"github.com/ngrok/ngrok-api-go/v7/ssh_credentials"
	"github.com/ngrok/ngrok-api-go/v7/ssh_host_certificates"
	"github.com/ngrok/ngrok-api-go/v7/ssh_user_certificates"
	"github.com/ngrok/ngrok-api-go/v7/tls_certificates"
	"github.com/ngrok/ngrok-api-go/v7/tunnel_sessions"
	"github.com/ngrok/ngrok-api-go/v7/tunnels"
	"github.com/ngrok/ngrok-api-go/v7/vaults"
)

// servicesV7 are the services of the API, by the names that the contract gives their resources.
func servicesV7(key, baseURL string) map[string]any {
	config := ngrok.NewClientConfig(key, ngrok.WithBaseURL(baseURL))
	return map[string]any{
		"abuse_reports":                             abuse_reports.NewClient(config),
		"agent_ingresses":                           agent_ingresses.NewClient(config),
		"api_keys":                                  api_keys.NewClient(config),
		"application_sessions":                      application_sessions.NewClient(config),
		"application_users":                         application_users.NewClient(config),
		"bot_users":                                 bot_users.NewClient(config),
		"certificate_authorities":                   certificate_authorities.NewClient(config),
		"credentials":                               credentials.NewClient(config),
		"edge_route_backend_module":                 edge_route_backend_module.NewClient(config),
		"edge_route_circuit_breaker_module":         edge_route_circuit_breaker_module.NewClient(config),
		"edge_route_compression_module":             edge_route_compression_module.NewClient(config),
		"edge_route_ip_restriction_module":          edge_route_ip_restriction_module.NewClient(config),
		"edge_route_o_auth_module":                  edge_route_o_auth_module.NewClient(config),
		"edge_route_oidc_module":                    edge_route_oidc_module.NewClient(config),
		"edge_route_request_headers_module":         edge_route_request_headers_module.NewClient(config),
		"edge_route_response_headers_module":        edge_route_response_headers_module.NewClient(config),
		"edge_route_saml_module":                    edge_route_saml_module.NewClient(config),
		"edge_route_traffic_policy_module":          edge_route_traffic_policy_module.NewClient(config),
		"edge_route_user_agent_filter_module":       edge_route_user_agent_filter_module.NewClient(config),
		"edge_route_webhook_verification_module":    edge_route_webhook_verification_module.NewClient(config),
		"edge_route_websocket_tcp_converter_module": edge_route_websocket_tcp_converter_module.NewClient(config),
		"edges_https":                               edges_https.NewClient(config),
		"edges_https_routes":                        edges_https_routes.NewClient(config),
		"edges_tcp":                                 edges_tcp.NewClient(config),
		"edges_tls":                                 edges_tls.NewClient(config),
		"endpoints":                                 endpoints.NewClient(config),
		"event_destinations":                        event_destinations.NewClient(config),
		"event_sources":                             event_sources.NewClient(config),
		"event_subscriptions":                       event_subscriptions.NewClient(config),
		"failover_backends":                         failover_backends.NewClient(config),
		"http_response_backends":                    http_response_backends.NewClient(config),
		"https_edge_mutual_tls_module":              https_edge_mutual_tls_module.NewClient(config),
		"https_edge_tls_termination_module":         https_edge_tls_termination_module.NewClient(config),
		"ip_policies":                               ip_policies.NewClient(config),
		"ip_policy_rules":                           ip_policy_rules.NewClient(config),
		"ip_restrictions":                           ip_restrictions.NewClient(config),
		"kubernetes_operators":                      kubernetes_operators.NewClient(config),
		"reserved_addrs":                            reserved_addrs.NewClient(config),
		"reserved_domains":                          reserved_domains.NewClient(config),
		"secrets":                                   secrets.NewClient(config),
		"service_users":                             service_users.NewClient(config),
		"ssh_certificate_authorities":               ssh_certificate_authorities.NewClient(config),
		"ssh_credentials":                           ssh_credentials.NewClient(config),
		"ssh_host_certificates":                     ssh_host_certificates.NewClient(config),
		"ssh_user_certificates":                     ssh_user_certificates.NewClient(config),
		"static_backends":                           static_backends.NewClient(config),
		"tcp_edge_backend_module":                   tcp_edge_backend_module.NewClient(config),
		"tcp_edge_ip_restriction_module":            tcp_edge_ip_restriction_module.NewClient(config),
		"tcp_edge_traffic_policy_module":            tcp_edge_traffic_policy_module.NewClient(config),
		"tls_certificates":                          tls_certificates.NewClient(config),
		"tls_edge_backend_module":                   tls_edge_backend_module.NewClient(config),
		"tls_edge_ip_restriction_module":            tls_edge_ip_restriction_module.NewClient(config),
		"tls_edge_mutual_tls_module":                tls_edge_mutual_tls_module.NewClient(config),
		"tls_edge_tls_termination_module":           tls_edge_tls_termination_module.NewClient(config),
		"tls_edge_traffic_policy_module":            tls_edge_traffic_policy_module.NewClient(config),
		"tunnel_group_backends":                     tunnel_group_backends.NewClient(config),
		"tunnel_sessions":                           tunnel_sessions.NewClient(config),
		"tunnels":                                   tunnels.NewClient(config),
		"vaults":                                    vaults.NewClient(config),
		"weighted_backends":                         weighted_backends.NewClient(config),
	}
}

func notFoundV7(err error) bool { return ngrok.IsNotFound(err) }
