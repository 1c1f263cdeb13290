# What the provider's versions before 0.8 manage and Postern serves, with v0.1.tf or v0.7.tf. Their resources have the API's
# own names; none of them makes an endpoint, and none can be imported.

terraform {
  required_providers {
    ngrok = {
      source = "ngrok/ngrok"
    }
  }
}

provider "ngrok" {}

variable "domain" {
  type    = string
  default = "example.com"
}

variable "note" {
  type    = string
  default = "managed by Terraform"
}

variable "greeting" {
  type    = string
  default = "hello"
}

variable "authority" {
  type = string
}

variable "certificate" {
  type = string
}

variable "private_key" {
  type      = string
  sensitive = true
}

variable "teams" {
  type    = number
  default = 2
}

resource "ngrok_tls_certificate" "app" {
  certificate_pem = var.certificate
  private_key_pem = var.private_key
  description     = var.note
  metadata        = "a certificate, ${var.note}"
}

resource "ngrok_reserved_domain" "app" {
  name        = "app.${var.domain}"
  description = var.note
  metadata    = jsonencode({ note = var.note })
}

resource "ngrok_reserved_domain" "uploaded" {
  name           = "uploaded.${var.domain}"
  certificate_id = ngrok_tls_certificate.app.id
  description    = var.note
}

resource "ngrok_reserved_addr" "database" {
  description = var.note
  metadata    = "an address, ${var.note}"
}

resource "ngrok_api_key" "automation" {
  description = var.note
  metadata    = "a key, ${var.note}"
}

resource "ngrok_ip_policy" "offices" {
  description = var.note
  metadata    = "a policy, ${var.note}"
}

resource "ngrok_ip_policy_rule" "office" {
  ip_policy_id = ngrok_ip_policy.offices.id
  cidr         = var.greeting == "hello" ? "192.0.2.0/24" : "198.51.100.0/24"
  action       = var.greeting == "hello" ? "allow" : "deny"
  description  = var.note
}

resource "ngrok_ip_policy" "team" {
  count       = var.teams
  description = "team ${count.index}"
}

resource "ngrok_certificate_authority" "visitors" {
  ca_pem      = var.authority
  description = var.note
  metadata    = "an authority, ${var.note}"
}
