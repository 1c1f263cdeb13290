"""A page whose text reaches the browser over a WebSocket only."""

import streamlit

streamlit.title("Through the tunnel")
streamlit.write("written by the script")
