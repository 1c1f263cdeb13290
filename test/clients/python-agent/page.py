import asyncio
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import ngrok


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "17")
        self.end_headers()
        self.wfile.write(b"Hello from Python")


async def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hello)
    Thread(target=server.serve_forever, daemon=True).start()
    with open(os.environ["POSTERN_CA"], "rb") as file:
        authority = bytearray(file.read())
    session = await (
        ngrok.SessionBuilder()
        .server_addr(os.environ["POSTERN_AGENT"])
        .ca_cert(authority)
        .authtoken(os.environ["NGROK_AUTHTOKEN"])
        .connect()
    )
    listener = await session.http_endpoint().listen_and_forward(f"http://127.0.0.1:{server.server_port}")
    print(listener.url(), flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
