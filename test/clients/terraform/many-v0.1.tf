resource "ngrok_credential" "many" {
  count       = 20
  description = "one of many"
  acl         = ["bind:many${count.index}.${var.domain}"]
}
