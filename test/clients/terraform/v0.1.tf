# What version 0.1 has besides older.tf.

resource "ngrok_credential" "agents" {
  description = var.note
  metadata    = "a credential, ${var.note}"
  acl         = ["bind:*.${var.domain}", "bind:${var.greeting}.internal"]
}
