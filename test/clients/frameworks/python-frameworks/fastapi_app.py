"""FastAPI under uvicorn: what it sees of the visitor, a WebSocket, an event stream, and who left it."""

import asyncio

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse

app = FastAPI()
tick = asyncio.Event()
left = 0


@app.get("/seen")
def seen(request: Request):
    return {"url": str(request.url), "client": request.client.host}


@app.post("/tick")
async def next_event():
    tick.set()
    return {}


@app.get("/left")
def who_left():
    return {"left": left}


@app.get("/events")
async def events():
    async def stream():
        global left
        try:
            for number in range(1, 1_000):
                yield f"data: {number}\n\n"
                await tick.wait()
                tick.clear()
        finally:
            left += 1

    return StreamingResponse(stream(), media_type="text/event-stream")


@app.websocket("/socket")
async def socket(websocket: WebSocket):
    await websocket.accept(subprotocol="echo")
    while True:
        text = await websocket.receive_text()
        if text == "end":
            await websocket.close(4001, "as asked")
            return
        await websocket.send_text(f"echo {text}")
