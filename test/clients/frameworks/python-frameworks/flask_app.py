"""Flask behind a proxy, as its documentation says: ProxyFix believes the one proxy in front."""

import hashlib

from flask import Flask, request, session, url_for
from werkzeug.middleware.proxy_fix import ProxyFix

app = Flask(__name__)
app.secret_key = "of a test"
app.config["SESSION_COOKIE_SECURE"] = True
app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)


@app.get("/seen")
def seen():
    return {"there": url_for("count", _external=True), "client": request.remote_addr, "secure": request.is_secure}


@app.get("/count")
def count():
    session["count"] = session.get("count", 0) + 1
    return {"count": session["count"]}


@app.post("/sum")
def total():
    digest, length = hashlib.sha256(), 0
    while chunk := request.stream.read(65_536):
        digest.update(chunk)
        length += len(chunk)
    return f"{length} {digest.hexdigest()}"
