use bytes::Bytes;
use futures::TryStreamExt;
use ngrok::prelude::*;
use tokio::io::AsyncWriteExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let authority = std::fs::read(std::env::var("POSTERN_CA")?)?;
    let session = ngrok::Session::builder()
        .server_addr(std::env::var("POSTERN_AGENT")?)?
        .ca_cert(Bytes::from(authority))
        .authtoken(std::env::var("NGROK_AUTHTOKEN")?)
        .connect()
        .await?;
    let mut listener = session.http_endpoint().listen().await?;
    println!("{}", listener.url());
    while let Some(mut visitor) = listener.try_next().await? {
        tokio::spawn(async move {
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 15\r\nconnection: close\r\n\r\nHello from Rust";
            visitor.write_all(answer.as_bytes()).await?;
            visitor.shutdown().await
        });
    }
    Ok(())
}
