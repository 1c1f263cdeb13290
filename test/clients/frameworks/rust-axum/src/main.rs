//! axum: what it sees, an event stream, a WebSocket.
use std::{convert::Infallible, env, sync::Arc};

use axum::{
    extract::ws::{Message, WebSocketUpgrade},
    http::HeaderMap,
    response::{sse::Event, Response, Sse},
    routing::{any, get, post},
    Router,
};
use futures::stream;
use tokio::{net::TcpListener, sync::Notify};

#[tokio::main]
async fn main() {
    let port = env::args().nth(1).expect("a port");
    let tick = Arc::new(Notify::new());
    let ticked = tick.clone();
    let app = Router::new()
        .route("/seen", get(seen))
        .route("/socket", any(socket))
        .route("/tick", post(move || async move { ticked.notify_one() }))
        .route(
            "/events",
            get(move || async move {
                Sse::new(stream::unfold(1, move |number| {
                    let tick = tick.clone();
                    async move {
                        if number > 1 {
                            tick.notified().await;
                        }
                        let event = Event::default().data(number.to_string());
                        Some((Ok::<_, Infallible>(event), number + 1))
                    }
                }))
            }),
        );
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await.expect("the port is free");
    axum::serve(listener, app).await.expect("it serves");
}

async fn seen(headers: HeaderMap) -> String {
    let field = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    format!("{} {} {}", field("host"), field("x-forwarded-proto"), field("x-forwarded-for"))
}

async fn socket(upgrade: WebSocketUpgrade) -> Response {
    upgrade.protocols(["echo"]).on_upgrade(|mut socket| async move {
        while let Some(Ok(Message::Text(text))) = socket.recv().await {
            let answer = Message::Text(format!("echo {text}").into());
            if socket.send(answer).await.is_err() {
                return;
            }
        }
    })
}
