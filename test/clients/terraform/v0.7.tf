# What version 0.7 has besides older.tf.

# This version sends no `false`, so that nobody can be made inactive with it.
resource "ngrok_bot_user" "deploy" {
  name   = "deploy, ${var.greeting}"
  active = true
}

# Without an owner, this version takes the one that the server tells for a change and replaces the credential every time.
resource "ngrok_credential" "agents" {
  owner_id    = ngrok_bot_user.deploy.id
  description = var.note
  metadata    = "a credential, ${var.note}"
  acl         = ["bind:*.${var.domain}", "bind:${var.greeting}.internal"]
}

resource "ngrok_vault" "production" {
  name        = "production-${var.greeting}"
  description = var.note
  metadata    = "a vault, ${var.note}"
}

resource "ngrok_secret" "token" {
  name        = "token"
  vault_id    = ngrok_vault.production.id
  value       = "the value of ${var.note}"
  description = var.note
  metadata    = "a secret, ${var.note}"
}
