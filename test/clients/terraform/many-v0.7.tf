# Without an owner, this version replaces a credential every time (v0.7.tf).

resource "ngrok_credential" "many" {
  count       = 20
  owner_id    = ngrok_credential.agents.owner_id
  description = "one of many"
  acl         = ["bind:many${count.index}.${var.domain}"]
}
