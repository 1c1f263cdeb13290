# Everything that the published provider manages and Postern serves, as an example and as what the suite of clients
# applies, changes and destroys. Postern's address and key come from the environment:
#
#   export NGROK_API_BASE_URL=http://127.0.0.1:4400
#   export NGROK_API_KEY=$(cat .postern/api_key)

terraform {
  required_providers {
    ngrok = {
      source = "ngrok/ngrok"
    }
  }
}

provider "ngrok" {}

variable "domain" {
  description = "A domain of your own; hosts below it are reserved."
  type        = string
  default     = "example.com"
}

variable "note" {
  description = "Stands in every description."
  type        = string
  default     = "managed by Terraform"
}

variable "greeting" {
  type    = string
  default = "hello"
}

variable "authority" {
  description = "PEM of the authority whose certificates visitors show; none by default."
  type        = string
  default     = ""
}

variable "teams" {
  description = "How many teams have an IP policy of their own."
  type        = number
  default     = 2
}

resource "ngrok_domain" "app" {
  domain      = "app.${var.domain}"
  description = var.note
  metadata    = jsonencode({ note = var.note })
}

resource "ngrok_cloud_endpoint" "app" {
  url             = "https://${ngrok_domain.app.domain}"
  description     = var.note
  metadata        = "an endpoint"
  pooling_enabled = true
  traffic_policy = jsonencode({
    on_http_request = [{
      actions = [{ type = "custom-response", config = { status_code = 200, body = var.greeting } }]
    }]
  })
}

resource "ngrok_tcp_address" "database" {
  description = var.note
  metadata    = "an address"
}

resource "ngrok_service_user" "deploy" {
  name   = "deploy"
  active = true
}

resource "ngrok_credential" "agents" {
  description = var.note
  metadata    = "a credential"
  acl         = ["bind:*.${var.domain}", "bind:${var.greeting}.internal"]
}

resource "ngrok_api_key" "automation" {
  description = var.note
  metadata    = "a key"
}

resource "ngrok_ip_policy" "offices" {
  description = var.note
  metadata    = "a policy"
}

resource "ngrok_ip_policy_rule" "office" {
  ip_policy_id = ngrok_ip_policy.offices.id
  cidr         = "192.0.2.0/24"
  action       = "allow"
  description  = var.note
}

resource "ngrok_ip_policy" "team" {
  count       = var.teams
  description = "team ${count.index}"
}

resource "ngrok_certificate_authority" "visitors" {
  count       = var.authority == "" ? 0 : 1
  ca_pem      = var.authority
  description = var.note
}

variable "certificate" {
  description = "PEM of a certificate of your own, leaf first; none by default."
  type        = string
  default     = ""
}

variable "private_key" {
  description = "PEM of its key."
  type        = string
  default     = ""
  sensitive   = true
}

resource "ngrok_tls_certificate" "app" {
  count           = var.certificate == "" ? 0 : 1
  certificate_pem = var.certificate
  private_key_pem = var.private_key
  description     = var.note
}

resource "ngrok_vault" "production" {
  name        = "production"
  description = var.note
}

resource "ngrok_secret" "token" {
  name        = "token"
  vault_id    = ngrok_vault.production.id
  value       = "the value of ${var.note}"
  description = var.note
}

output "url" {
  value = ngrok_cloud_endpoint.app.url
}
