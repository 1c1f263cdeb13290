# Many at once, by the names of versions before 0.8; they make no endpoints.

resource "ngrok_reserved_domain" "many" {
  count       = 30
  name        = "many${count.index}.${var.domain}"
  description = "one of many"
}
