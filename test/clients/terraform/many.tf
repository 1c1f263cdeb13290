# Many at once, where the version has them: laid beside the others for one step.

resource "ngrok_domain" "many" {
  count       = 30
  domain      = "many${count.index}.${var.domain}"
  description = "one of many"
}

resource "ngrok_cloud_endpoint" "many" {
  count          = 60
  url            = "https://${count.index}.many.${var.domain}"
  description    = "one of many"
  traffic_policy = jsonencode({ on_http_request = [{ actions = [{ type = "deny" }] }] })
}

resource "ngrok_credential" "many" {
  count       = 20
  description = "one of many"
  acl         = ["bind:many${count.index}.${var.domain}"]
}
